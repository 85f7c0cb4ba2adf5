"""Sentence embeddings on the CPU, one sequence per call.

Sequences are never padded and never batched: padding takes most of the time of a mixed batch, and with dynamic
quantisation the embedding of a sequence would depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from vsr_runtime.inference.encoder_files import EncoderFiles, max_tokens
from vsr_runtime.inference.errors import classify_extra
from vsr_runtime.inference.tokenizer import TextTokenizer
from vsr_schemas.encoders import ENCODERS

with classify_extra():
    import numpy as np
    from numpy.typing import NDArray

    from vsr_runtime.inference.attention_pooling import AttentionPooling
    from vsr_runtime.inference.onnx_session import Precision, open_session


Layer = Literal["last", "middle"] | AttentionPooling
"""What an embedding is of: the mean of the last or the middle layer, or the middle layer's tokens by attention."""


def layer_key(layer: Layer) -> str:
    """Return a name that equal layers share, and no others."""
    return layer.key if isinstance(layer, AttentionPooling) else layer


class SentenceEncoder:
    """A sentence encoder. Safe to use from several threads; the same text gives the same bits."""

    def __init__(
        self,
        tokenizer: TextTokenizer,
        session: Any,  # noqa: ANN401 - untyped
        max_tokens: int,
        prefix: str = "",
    ) -> None:
        self._tokenizer = tokenizer
        self._session = session
        self._prefix = prefix
        self._capacity = max_tokens - self._tokenizer.special
        self.max_tokens = max_tokens
        self.dimension = int(session.get_outputs()[0].shape[-1])

    @classmethod
    def load(cls, files: EncoderFiles, precision: Precision = "int8", threads: int = 1) -> SentenceEncoder:
        """Load the encoder; build its graph if no cache has it, which takes some seconds.

        Args:
            files: As found by ``find_encoder``.
            precision: ``fp32`` equals transformers' to 1e-5; ``int8`` takes a third of the time.
            threads: CPU threads that one text may use.

        Raises:
            ModelError: A file cannot be used, or a package of the ``classify`` extra is not installed.
        """
        session = open_session(files, precision, threads)
        known = ENCODERS.get(files.repo)
        prefix = known.prefix if known else ""
        return cls(TextTokenizer.load(files.tokenizer), session, max_tokens(files), prefix)

    def embed(self, texts: Sequence[str], layer: Layer = "last") -> NDArray[np.float32]:
        """Embed texts.

        Args:
            texts: Of any length; of a text of more than ``max_tokens`` the two ends are read.
            layer: The layer whose tokens are combined.

        Returns:
            Shape ``[len(texts), dimension]``, float32, rows of length one; by attention, rows of the pooling's size and
            any length.
        """
        return self.embed_ids([self.token_ids(text) for text in texts], layer)

    def embed_ids(self, sequences: Sequence[Sequence[int]], layer: Layer = "last") -> NDArray[np.float32]:
        """Embed sequences of token ids, special tokens included; at most ``max_tokens`` each."""
        if isinstance(layer, AttentionPooling):
            return self.embed_layers(sequences, [layer])[2]
        return self.embed_layers(sequences)[layer == "middle"]

    def embed_layers(
        self, sequences: Sequence[Sequence[int]], poolings: Sequence[AttentionPooling] = ()
    ) -> tuple[NDArray[np.float32], ...]:
        """Embed sequences of token ids by the last layer, by the middle one and by each pooling, in one pass."""
        last = np.empty((len(sequences), self.dimension), dtype=np.float32)
        middle = np.empty_like(last)
        pooled = tuple(np.empty((len(sequences), pooling.size), dtype=np.float32) for pooling in poolings)
        for row, ids in enumerate(sequences):
            if poolings:
                last[row], middle[row], tokens = self.embed_tokens(ids)
            else:
                last[row], middle[row] = self._run(["embedding", "middle"], ids)
            for table, pooling in zip(pooled, poolings, strict=True):
                table[row] = pooling.pooled(tokens)
        return last, middle, *pooled

    def embed_tokens(self, ids: Sequence[int]) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return a sequence's embeddings by the last and the middle layer, and the tokens of the middle one.

        Args:
            ids: Token ids, special tokens included; at most ``max_tokens``.

        Returns:
            Shapes ``[dimension]``, ``[dimension]`` and ``[len(ids), dimension]``.
        """
        last, middle, tokens = self._run(["embedding", "middle", "tokens"], ids)
        return last, middle, tokens

    def _run(self, outputs: list[str], ids: Sequence[int]) -> list[NDArray[np.float32]]:
        return [found[0] for found in self._session.run(outputs, {"ids": np.array([ids], dtype=np.int64)})]

    def token_ids(self, text: str) -> list[int]:
        """Tokenise a text: at most ``max_tokens`` ids, special tokens included.

        Of a longer text they are those of its two ends; see `TextTokenizer`.
        """
        return self._tokenizer.framed(self._tokenizer([self._prefix + text], self._capacity)[0].ids)
