"""Sentence encoders with compiled heads, as a model that reads batches: on a CPU, one sequence at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runtime.inference.pieces import Answer, Piece

if TYPE_CHECKING:
    from runtime.inference.encoder import SentenceEncoder
    from runtime.inference.head import Head


class CompiledModel:
    """One sentence encoder and the heads that were compiled over it."""

    def __init__(self, encoder: SentenceEncoder, heads: Mapping[str, Head]) -> None:
        self._encoder = encoder
        self._heads = dict(heads)

    def prepare(self, pieces: Sequence[Piece]) -> Sequence[Piece]:
        """Nothing needs to be brought anywhere."""
        return pieces

    def run(self, batch: Sequence[Piece]) -> list[Answer]:
        """Embeds each piece once, and asks every head."""
        embeddings = self._encoder.embed_ids([piece.ids for piece in batch])
        rows = {name: head.probabilities(embeddings) for name, head in self._heads.items()}
        return [{name: table[number] for name, table in rows.items()} for number in range(len(batch))]
