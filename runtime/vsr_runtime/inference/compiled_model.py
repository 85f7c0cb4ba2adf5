"""Sentence encoders with compiled heads as a batch model: on the CPU, one sequence at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from vsr_runtime.inference.token_sequence import Answer, TokenSequence
from vsr_runtime.inference.windows import Floats

if TYPE_CHECKING:
    from vsr_runtime.inference.encoder import SentenceEncoder


class CompiledModel:
    """One sentence encoder and, by task, the functions that turn embeddings into answers.

    Args:
        encoder: The encoder.
        heads: By task, for embeddings of the last layer.
        middle: Likewise, for embeddings of the middle layer.
    """

    def __init__(
        self,
        encoder: SentenceEncoder,
        heads: Mapping[str, Callable[[Floats], Floats]],
        middle: Mapping[str, Callable[[Floats], Floats]],
    ) -> None:
        self._encoder = encoder
        self._heads = dict(heads)
        self._middle = dict(middle)

    def prepare(self, sequences: Sequence[TokenSequence]) -> Sequence[TokenSequence]:
        """Do nothing: the CPU needs no transfer."""
        return sequences

    def run(self, batch: Sequence[TokenSequence]) -> list[Answer]:
        """Embed each sequence once, and apply every head."""
        last, middle = self._encoder.embed_layers([sequence.ids for sequence in batch])
        rows = {name: head(last) for name, head in self._heads.items()}
        rows |= {name: head(middle) for name, head in self._middle.items()}
        return [{name: table[number] for name, table in rows.items()} for number in range(len(batch))]
