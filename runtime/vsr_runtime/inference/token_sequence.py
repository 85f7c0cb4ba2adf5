"""Input and output of models that read batches. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from vsr_runtime.inference.windows import Floats

Batch = TypeVar("Batch")


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """Input of the model: a text, or a window of it.

    Attributes:
        ids: Token ids, special ones included.
        tokens_of: The heads that must label every token; heads for whole sequences always answer.
    """

    ids: Sequence[int]
    tokens_of: frozenset[str] = frozenset()


Answer = Mapping[str, Floats]
"""By head: probabilities of shape ``[labels]``, or ``[tokens, labels]``, special tokens included."""


class BatchModel(Protocol[Batch]):
    """An encoder with its heads.

    Both calls block; ``prepare`` may run in parallel with ``run`` of the previous batch.
    """

    def prepare(self, sequences: Sequence[TokenSequence]) -> Batch:
        """Transfer a batch to the device."""

    def run(self, batch: Batch) -> list[Answer]:
        """Compute it: an answer for each sequence.

        Raises:
            NoMemoryError: A smaller batch may fit.
        """
