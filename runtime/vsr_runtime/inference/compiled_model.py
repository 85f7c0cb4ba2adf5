"""Sentence encoders with compiled heads, as a model that reads batches: on a CPU, one sequence at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from vsr_runtime.inference.token_sequence import Answer, TokenSequence
from vsr_runtime.inference.windows import Floats

if TYPE_CHECKING:
    from vsr_runtime.inference.encoder import SentenceEncoder


class CompiledModel:
    """One sentence encoder and what was compiled over it: by task, what makes answers of embeddings."""

    def __init__(self, encoder: SentenceEncoder, heads: Mapping[str, Callable[[Floats], Floats]]) -> None:
        self._encoder = encoder
        self._heads = dict(heads)

    def prepare(self, sequences: Sequence[TokenSequence]) -> Sequence[TokenSequence]:
        """Nothing needs to be brought anywhere."""
        return sequences

    def run(self, batch: Sequence[TokenSequence]) -> list[Answer]:
        """Embeds each sequence once, and asks every head."""
        embeddings = self._encoder.embed_ids([sequence.ids for sequence in batch])
        rows = {name: head(embeddings) for name, head in self._heads.items()}
        return [{name: table[number] for name, table in rows.items()} for number in range(len(batch))]
