"""Tokenises texts without Python's global lock, in segments that bound the work of a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vsr_runtime.inference.errors import ModelError, classify_extra
from vsr_runtime.inference.text_segments import last_part, segments

with classify_extra():
    from tokenizers import Tokenizer

_CHARACTERS_A_TOKEN = 512
"""Characters for each token that is needed, after which reading ends."""
_CHARACTERS_OF_TAIL = 4096
"""Characters in which the last tokens of a long text are looked for."""
_MOST_WORD = 100
"""Longest word of BERT's WordPiece, in characters; longer ones are unknown."""
Progress = Callable[[int], None]
"""Called between two segments with the number of tokens so far. It may raise to end the work."""


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
        # A word that is too long is unknown to WordPiece, whatever follows in it. Other models read all of it.
        self._skip_runs = getattr(tokenizer.model, "max_input_chars_per_word", _MOST_WORD + 1) <= _MOST_WORD
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

    def __call__(
        self, texts: Sequence[str], at_most: int | None = None, progress: Progress = lambda _: None
    ) -> list[Tokens]:
        """Tokenise texts.

        Args:
            texts: Of any length.
            at_most: Tokens needed of each; of a longer text the first and the last ones, half of each.
            progress: Called between two segments.
        """
        found: list[Tokens] = []
        count = 0
        for text in texts:
            found.append(self._ends(text, at_most, lambda more, before=count: progress(before + more)))  # type: ignore[misc] # a default binds
            count += len(found[-1].ids)
        return found

    def framed(self, ids: Sequence[int]) -> list[int]:
        """Add the special tokens that the model expects."""
        return [*self._before, *ids, *self._after]

    @property
    def lead(self) -> int:
        """Special tokens before a text."""
        return len(self._before)

    def _ends(self, text: str, at_most: int | None, progress: Progress) -> Tokens:
        """Read a text, or its two ends: what a long text is about may be at either."""
        if at_most is None:
            return self._read(text, None, progress)
        head = self._read(text, at_most + 1, progress)
        if len(head.ids) <= at_most:
            return head
        start = last_part(text, _CHARACTERS_OF_TAIL)
        tail = self._read(text[start:], None, progress)
        last = min(len(tail.ids), at_most // 2)
        first = at_most - last
        behind = [(start + begin, start + end) for begin, end in tail.offsets[len(tail.ids) - last :]]
        return Tokens([*head.ids[:first], *tail.ids[len(tail.ids) - last :]], [*head.offsets[:first], *behind])

    def _read(self, text: str, at_most: int | None, progress: Progress) -> Tokens:
        """Read a text, segment by segment, until its end or until there are enough tokens."""
        ids: list[int] = []
        offsets: list[tuple[int, int]] = []
        left = len(text) if at_most is None else at_most * _CHARACTERS_A_TOKEN
        for start, segment in segments(text, skip_runs=self._skip_runs):
            encoding = self._encode(segment)
            if at_most is not None:
                encoding.truncate(at_most - len(ids))
            ids += encoding.ids
            offsets += [(start + begin, start + end) for begin, end in encoding.offsets] if start else encoding.offsets
            left -= len(segment)
            if left <= 0 or len(ids) == at_most:
                break
            progress(len(ids))
        return Tokens(ids, offsets)

    def _encode(self, text: str) -> Any:  # noqa: ANN401 - as above
        # JSON can carry half a surrogate pair, which no tokenizer takes; its replacement is one character, too.
        clean = text.encode("utf-8", "replace").decode()
        # `encode` would hold Python's global lock.
        return self._tokenizer.encode_batch([clean], add_special_tokens=False)[0]


def _special(tokenizer: Any) -> tuple[list[int], list[int]]:  # noqa: ANN401 - as above
    """The special tokens that the tokenizer puts before and after a text."""
    plain = tokenizer.encode("a", add_special_tokens=False).ids
    framed = tokenizer.encode("a", add_special_tokens=True).ids
    for begin in range(len(framed) - len(plain) + 1):
        if plain and framed[begin : begin + len(plain)] == plain:
            return list(framed[:begin]), list(framed[begin + len(plain) :])
    raise ModelError("the tokenizer does not put its special tokens around a text; use another checkpoint")
