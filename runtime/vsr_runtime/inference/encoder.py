"""Sentence embeddings on the CPU, one sequence per call.

Sequences are never padded and never batched: padding takes most of the time of a mixed batch, and with dynamic
quantisation the embedding of a sequence would depend on its neighbours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vsr_runtime.inference.encoder_files import EncoderFiles, max_tokens
from vsr_runtime.inference.errors import ModelError, classify_extra

with classify_extra():
    import numpy as np
    from numpy.typing import NDArray
    from tokenizers import Tokenizer

    from vsr_runtime.inference.onnx_session import Precision, open_session

_CHARACTERS_A_TOKEN = 32  # of the first attempt at a long text; more is read if that is too little


class SentenceEncoder:
    """A sentence encoder. Safe to use from several threads; the same text gives the same bits."""

    def __init__(self, tokenizer: Any, session: Any, max_tokens: int) -> None:  # noqa: ANN401 - both are untyped
        self._tokenizer = tokenizer
        self._session = session
        self._capacity = max_tokens - int(tokenizer.num_special_tokens_to_add(is_pair=False))
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
        try:
            tokenizer = Tokenizer.from_file(str(files.tokenizer))
        except Exception as error:  # tokenizers raises nothing narrower
            raise ModelError(f"{files.tokenizer} is not a tokenizer ({error}); fetch the model again") from error
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return cls(tokenizer, session, max_tokens(files))

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts.

        Args:
            texts: Of any length; text beyond ``max_tokens`` is not read.

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

        Only as much of a long text is tokenised as needed. The last word of a cut text may be half a word, so a cut is
        accepted only if that word is beyond the limit.
        """
        # JSON can carry half a surrogate pair, which no tokenizer takes.
        clean = text.encode("utf-8", "replace").decode()
        size = self.max_tokens * _CHARACTERS_A_TOKEN
        while True:
            encoding = self._tokenizer.encode(clean[:size], add_special_tokens=False)
            words = encoding.word_ids
            whole = size >= len(clean)
            if whole or (len(words) > self._capacity and words[self._capacity - 1] != words[-1]):
                encoding.truncate(self._capacity)
                ids: list[int] = self._tokenizer.post_process(encoding).ids
                return ids
            size *= 4
