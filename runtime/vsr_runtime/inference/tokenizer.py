"""Tokenises texts, many at a time and without Python's global lock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsr_runtime.inference.errors import ModelError, classify_extra

with classify_extra():
    from tokenizers import Tokenizer

_CHARACTERS_A_TOKEN = 32
"""Characters per token in the first attempt at a text of which only the beginning is needed."""


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's tokens, without special ones.

    Attributes:
        ids: Token ids.
        offsets: Start and end of each token in the text, in code points.
    """

    ids: Sequence[int]
    offsets: Sequence[tuple[int, int]]


class TextTokenizer:
    """A checkpoint's fast tokenizer. Safe to use from several threads."""

    def __init__(self, tokenizer: Any) -> None:  # noqa: ANN401 - tokenizers ships no types
        tokenizer.no_padding()
        tokenizer.no_truncation()
        self._tokenizer = tokenizer
        self._before, self._after = _special(tokenizer)

    @classmethod
    def load(cls, path: Path) -> TextTokenizer:
        """Read ``tokenizer.json``.

        Raises:
            ModelError: It is not a tokenizer.
        """
        try:
            return cls(Tokenizer.from_file(str(path)))
        except Exception as error:  # tokenizers raises nothing narrower
            raise ModelError(f"{path} is not a tokenizer ({error}); fetch the checkpoint again") from error

    @property
    def special(self) -> int:
        """Special tokens around a text."""
        return len(self._before) + len(self._after)

    def __call__(self, texts: Sequence[str], at_most: int | None = None) -> list[Tokens]:
        """Tokenise texts.

        Args:
            texts: Of any length.
            at_most: Tokens needed of each; then a long text is not read to its end.
        """
        # JSON can carry half a surrogate pair, which no tokenizer takes; its replacement is one character, too.
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        if at_most is None:
            found = self._tokenizer.encode_batch(clean, add_special_tokens=False)
            return [Tokens(encoding.ids, encoding.offsets) for encoding in found]
        return [self._beginning(text, at_most) for text in clean]

    def framed(self, ids: Sequence[int]) -> list[int]:
        """Add the special tokens that the model expects."""
        return [*self._before, *ids, *self._after]

    @property
    def lead(self) -> int:
        """Special tokens before a text."""
        return len(self._before)

    def _beginning(self, text: str, at_most: int) -> Tokens:
        """The first tokens. The last word of a cut text may be half a word, so it must be beyond the tokens needed."""
        size = at_most * _CHARACTERS_A_TOKEN
        while True:
            encoding = self._tokenizer.encode(text[:size], add_special_tokens=False)
            words = encoding.word_ids
            if size >= len(text) or (len(words) > at_most and words[at_most - 1] != words[-1]):
                return Tokens(encoding.ids[:at_most], encoding.offsets[:at_most])
            size *= 4


def _special(tokenizer: Any) -> tuple[list[int], list[int]]:  # noqa: ANN401 - as above
    """The special tokens that the tokenizer puts before and after a text."""
    plain = tokenizer.encode("a", add_special_tokens=False).ids
    framed = tokenizer.encode("a", add_special_tokens=True).ids
    for begin in range(len(framed) - len(plain) + 1):
        if plain and framed[begin : begin + len(plain)] == plain:
            return list(framed[:begin]), list(framed[begin + len(plain) :])
    raise ModelError("the tokenizer does not put its special tokens around a text; use another checkpoint")
