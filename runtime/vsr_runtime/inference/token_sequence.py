"""What goes into a model that reads batches, and what comes out of it. Needs no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from vsr_runtime.inference.windows import Floats

Batch = TypeVar("Batch")


@dataclass(frozen=True, slots=True)
class TokenSequence:
    """What is read at a time.

    Attributes:
        ids: Token ids, special ones included.
        tokens_of: The heads whose word on every token is wanted; heads of whole sequences always answer.
    """

    ids: Sequence[int]
    tokens_of: frozenset[str] = frozenset()


Answer = Mapping[str, Floats]
"""By head: probabilities of shape ``[labels]``, or ``[tokens, labels]``, special tokens included."""


class BatchModel(Protocol[Batch]):
    """An encoder with its heads. Both calls block; ``prepare`` may run beside the ``run`` of the batch before."""

    def prepare(self, sequences: Sequence[TokenSequence]) -> Batch:
        """Bring a batch to where it is computed."""

    def run(self, batch: Batch) -> list[Answer]:
        """Compute it: an answer for each sequence.

        Raises:
            NoMemoryError: a smaller batch may do.
        """
