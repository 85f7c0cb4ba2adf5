"""Sentence embeddings on the CPU, one sequence per call.

Sequences are never padded and never batched: padding takes most of the time of a mixed batch, and with dynamic
quantisation the embedding of a sequence would depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vsr_runtime.inference.encoder_files import EncoderFiles, max_tokens
from vsr_runtime.inference.errors import classify_extra
from vsr_runtime.inference.tokenizer import TextTokenizer
from vsr_schemas.encoders import ENCODERS

with classify_extra():
    import numpy as np
    from numpy.typing import NDArray

    from vsr_runtime.inference.onnx_session import Precision, open_session


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

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Args:
            texts: Of any length; of a text of more than ``max_tokens`` the two ends are read.

        Returns:
            Shape ``[len(texts), dimension]``, float32, rows of length one.
        """
        return self.embed_ids([self.token_ids(text) for text in texts])

    def embed_ids(self, sequences: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """Embed sequences of token ids, special tokens included; at most ``max_tokens`` each."""
        out = np.empty((len(sequences), self.dimension), dtype=np.float32)
        for row, ids in enumerate(sequences):
            out[row] = self._session.run(None, {"ids": np.array([ids], dtype=np.int64)})[0][0]
        return out

    def token_ids(self, text: str) -> list[int]:
        """Tokenise a text: at most ``max_tokens`` ids, special tokens included.

        Of a longer text they are those of its two ends; see `TextTokenizer`.
        """
        return self._tokenizer.framed(self._tokenizer([self._prefix + text], self._capacity)[0].ids)
