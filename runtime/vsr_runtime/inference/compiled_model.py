"""Sentence encoders with compiled heads as a batch model: on the CPU, one sequence at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from vsr_runtime.inference.attention_pooling import AttentionPooling
from vsr_runtime.inference.encoder import Layer, SentenceEncoder, layer_key
from vsr_runtime.inference.token_sequence import Answer, TokenSequence
from vsr_runtime.inference.windows import Floats


class CompiledModel:
    """One sentence encoder and, by task, the functions that turn embeddings into answers.

    Args:
        encoder: The encoder.
        heads: By task, the function and what its embeddings are of.
    """

    def __init__(self, encoder: SentenceEncoder, heads: Mapping[str, tuple[Callable[[Floats], Floats], Layer]]) -> None:
        self._encoder = encoder
        self._heads = dict(heads)
        self._poolings = {layer.key: layer for _, layer in heads.values() if isinstance(layer, AttentionPooling)}

    def prepare(self, sequences: Sequence[TokenSequence]) -> Sequence[TokenSequence]:
        """Do nothing: the CPU needs no transfer."""
        return sequences

    def run(self, batch: Sequence[TokenSequence]) -> list[Answer]:
        """Embed each sequence once, and apply every head."""
        sequences = [sequence.ids for sequence in batch]
        last, middle, *pooled = self._encoder.embed_layers(sequences, list(self._poolings.values()))
        embedded = {"last": last, "middle": middle, **dict(zip(self._poolings, pooled, strict=True))}
        rows = {name: head(embedded[layer_key(layer)]) for name, (head, layer) in self._heads.items()}
        return [{name: table[number] for name, table in rows.items()} for number in range(len(batch))]
