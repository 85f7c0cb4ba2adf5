r"""How a recogniser is written: a pattern that runs in linear time, and a judge of each match.

Patterns run on bytes, one a character: ASCII as it is, ``\xff`` for any other letter or digit, ``\xfe`` for the rest.
Tabs are spaces to them, carriage returns line ends, and dots of other scripts or in the middle of a line dots.
So offsets need no translation. Every pattern bounds the length of its matches, or takes what it matches out of the
text, and a judge looks only at a match and a few characters beside it: time grows with the text and no faster.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from vsr_runtime.decision.deadline import Expired, check_deadline
from vsr_runtime.decision.guards.detection import Span
from vsr_runtime.decision.guards.normalise import NormalisedText

SURE, SHAPE, CONTEXT = 1.0, 0.9, 0.75
"""Scores: a checksum holds; nothing else has this shape; a weaker shape whose context speaks for it."""
_FIRST_WORD = re.compile(rb"[0-9A-Za-z\xff]+")
_BEFORE, _AFTER = 64, 32
"""Characters beside a match that count as its context."""

Validator = Callable[[bytes, Any], Iterator[tuple[int, int, float]]]
"""Of a text and a match in it: what in the match is meant, and how sure that is. Nothing where it is something else."""


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Finds one kind of thing.

    Attributes:
        type: What it finds.
        rule: Its name, for logs and tables.
        pattern: RE2, on bytes as above.
        judge: Says what a match is.
        context: Words of which one must be somewhere in the text, an alternation; empty where none is needed.
        whole: Nothing begins within a match that is judged to be nothing, since a match takes all that it can.
    """

    type: str
    rule: str
    pattern: bytes
    judge: Validator
    context: bytes = b""
    whole: bool = False


class _Bytes(dict[int, int]):
    """The byte of each character that is not ASCII; remembers only so many, since there are a million."""

    def __missing__(self, code: int) -> int:
        byte = 0xFF if chr(code).isalnum() else 0xFE
        if len(self) < 1 << 13:
            self[code] = byte
        return byte


_BLANKS = bytes.maketrans(b"\t\r", b" \n")
_DOTS = (0xB7, 0x2022, 0x2027, 0x2219, 0x22C5, 0x3002, 0x30FB)
_BYTES = _Bytes({**{code: code for code in range(0x80)}, **dict.fromkeys(_DOTS, 0x2E), 0x2800: 0x20})


def to_bytes(text: str) -> bytes:
    """A text as patterns see it, one byte a character."""
    data = text.encode("ascii") if text.isascii() else text.translate(_BYTES).encode("latin-1")
    return data.translate(_BLANKS)


@cache
def compile_bytes(pattern: bytes) -> Any:  # noqa: ANN401 - re2 ships no types
    """A pattern made ready."""
    import re2  # noqa: PLC0415 - needed only where a config has guards

    options = re2.Options()
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern, options)


def run_recogniser(recogniser: Recogniser, normalised: NormalisedText, data: bytes, expired: Expired) -> Iterator[Span]:
    """What a recogniser finds.

    A match that is judged to be nothing may hide another that begins within it, so the search goes on behind its first
    word or number, unless the recogniser says otherwise.

    Raises:
        OutOfTimeError: the time was up first.
    """
    pattern = compile_bytes(recogniser.pattern)
    match = pattern.search(data)
    if match and recogniser.context and compile_bytes(words_pattern(recogniser.context)).search(data) is None:
        return
    while match:
        check_deadline(expired)
        at = match.end() if recogniser.whole else _next(data, match.start(), match.end())
        for start, end, score in recogniser.judge(data, match):
            yield Span(*normalised.original(start, end), recogniser.type, score, recogniser.rule)
            at = max(at, end)
        match = pattern.search(data, at)


def _next(data: bytes, start: int, end: int) -> int:
    word = _FIRST_WORD.match(data, start, end)
    return word.end() if word else start + 1


@cache
def words_pattern(alternation: bytes) -> bytes:
    """A pattern that finds one of some words, whatever their case."""
    return rb"(?i)(?:^|[^a-z])(?:" + alternation + rb")(?:[^a-z]|$)"


def has_context(data: bytes, start: int, end: int, alternation: bytes) -> bool:
    """Whether one of some words stands shortly before a place or right behind it."""
    beside = data[max(0, start - _BEFORE) : start] + b" \xfe " + data[end : end + _AFTER]
    return compile_bytes(words_pattern(alternation)).search(beside) is not None


def accept(score: float) -> Validator:
    """Takes every match, or its first group where it has one."""

    def judge(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
        del data
        group = 1 if match.re.groups else 0
        yield match.start(group), match.end(group), score

    return judge
