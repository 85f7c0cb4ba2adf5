r"""Recognisers: patterns that run in linear time, with a validator for each match.

Patterns run on bytes, one per character: ASCII as it is, ``\xff`` for any other letter or digit, ``\xfe`` for the rest.
Tabs become spaces, carriage returns line feeds, and dots of other scripts or in the middle of a line become dots, so
offsets need no translation. Every pattern bounds the length of its matches or consumes them, and a validator only reads
a match and a few characters around it, so the time is linear in the length of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from vsr_runtime.decision.deadline import Expired, check_deadline
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.normalise import NormalisedText
from vsr_runtime.decision.patterns import STEPS_PER_SEARCH

SURE, SHAPE, CONTEXT = 1.0, 0.9, 0.75
"""Scores: a valid checksum; a distinctive form; a weaker form with supporting context."""
_FIRST_WORD = re.compile(rb"[0-9A-Za-z\xff]+")
_SHORT = 512
"""Characters of a text that many recognisers read between two checks of the deadline."""
_BEFORE, _AFTER = 64, 32
"""Characters around a match that count as its context."""

Validator = Callable[[bytes, Any], Iterator[tuple[int, int, float]]]
"""Yields the start, end and score of each finding in a match; nothing if the match is not a finding."""
_DIGITS = b"0123456789"
_BLANKS = bytes.maketrans(b"\t\r", b" \n")
_DOTS = (0xB7, 0x2022, 0x2027, 0x2219, 0x22C5, 0x3002, 0x30FB)


@dataclass(frozen=True, slots=True)
class Recogniser:
    """Finds one kind of data.

    Attributes:
        type: the type of its findings.
        rule: its name, for logs and tables.
        pattern: RE2 pattern on bytes, see the module.
        validate: validates a match.
        context: an alternation of words of which the text must contain one; empty if none is required.
        terms: words that are not ASCII, in lower case, which count as context, too.
        near: validates a match that has one of the terms shortly before it or directly after it.
        confirm: validates the characters of a match, which ``validate`` sees as bytes.
        whole: whether nothing can begin inside a rejected match.
        digits: the fewest ASCII digits of a match. A text with fewer is not searched.
        literals: texts in lower case of which every match contains one; empty if there are none. As above.
    """

    type: str
    rule: str
    pattern: bytes
    validate: Validator
    context: bytes = b""
    whole: bool = False
    terms: tuple[str, ...] = ()
    near: Validator | None = None
    confirm: Callable[[str], bool] | None = None
    digits: int = 0
    literals: tuple[bytes, ...] = ()


class _Bytes(dict[int, int]):
    """The byte of each non-ASCII character. The cache is bounded, because there are a million characters."""

    def __missing__(self, code: int) -> int:
        byte = 0xFF if chr(code).isalnum() else 0xFE
        if len(self) < 1 << 13:
            self[code] = byte
        return byte


_BYTES = _Bytes({**{code: code for code in range(0x80)}, **dict.fromkeys(_DOTS, 0x2E), 0x2800: 0x20})


def to_bytes(text: str) -> bytes:
    """Return a text as patterns see it: one byte per character."""
    data = text.encode("ascii") if text.isascii() else text.translate(_BYTES).encode("latin-1")
    return data.translate(_BLANKS)


@cache
def compile_bytes(pattern: bytes) -> Any:  # noqa: ANN401 - re2 ships no types
    """Return the compiled pattern."""
    import re2  # noqa: PLC0415 - needed only by configs with guards

    options = re2.Options()
    options.log_errors = False
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern, options)


class ByteText:
    """A normalised text as patterns see it, and what tells patterns that cannot match from those that may.

    A search that finds nothing in a short text takes a microsecond, whatever its pattern; a test of what is known about
    the text takes a twentieth of that.

    Attributes:
        normalised: the text.
        data: one byte per character.
        lower: the same in lower case.
        digits: the number of ASCII digits.
    """

    __slots__ = ("data", "digits", "lower", "normalised")

    def __init__(self, normalised: NormalisedText) -> None:
        self.normalised = normalised
        self.data = to_bytes(normalised.text)
        self.lower = self.data.lower()
        self.digits = len(self.data) - len(self.data.translate(None, _DIGITS))

    def has(self, literals: tuple[bytes, ...]) -> bool:
        """Return whether it contains one of some texts in lower case."""
        lower = self.lower
        for literal in literals:  # noqa: SIM110 - a generator takes longer than a search
            if literal in lower:
                return True
        return False


def run_recogniser(recogniser: Recogniser, match: Any, text: ByteText, expired: Expired) -> Iterator[TextSpan]:  # noqa: ANN401 - re2 ships no types
    """Yield the findings of a recogniser, of whose pattern the first match is known.

    A rejected match may hide another one that begins inside it, so the search continues after its first word or number,
    unless the recogniser is ``whole``.

    Raises:
        DeadlineExceededError: the deadline passed first.
    """
    normalised, data = text.normalised, text.data
    pattern = compile_bytes(recogniser.pattern)
    if not _has_needed_context(recogniser, normalised.text, data):
        return
    if len(data) > _SHORT:
        check_deadline(expired)
    while match:
        check_deadline(expired, STEPS_PER_SEARCH)
        at = match.end() if recogniser.whole else _next(data, match.start(), match.end())
        validate = recogniser.validate
        if recogniser.near is not None and _has_term(recogniser.terms, normalised.text, match.start(), match.end()):
            validate = recogniser.near
        for start, end, score in validate(data, match):
            if recogniser.confirm is not None and not recogniser.confirm(normalised.text[start:end]):
                continue
            yield TextSpan(*normalised.original(start, end), recogniser.type, score, recogniser.rule)
            at = max(at, end)
        match = pattern.search(data, at)


def _has_needed_context(recogniser: Recogniser, text: str, data: bytes) -> bool:
    if not recogniser.context or compile_bytes(words_pattern(recogniser.context)).search(data) is not None:
        return True
    return not text.isascii() and any(term in text.lower() for term in recogniser.terms)


def _has_term(terms: tuple[str, ...], text: str, start: int, end: int) -> bool:
    around = f"{text[max(0, start - _BEFORE) : start]}\n{text[end : end + _AFTER]}"
    return not around.isascii() and any(term in around.lower() for term in terms)


def _next(data: bytes, start: int, end: int) -> int:
    word = _FIRST_WORD.match(data, start, end)
    return word.end() if word else start + 1


@cache
def words_pattern(alternation: bytes) -> bytes:
    """Return a case-insensitive pattern for an alternation of words."""
    return rb"(?i)(?:^|[^a-z])(?:" + alternation + rb")(?:[^a-z]|$)"


def has_context(data: bytes, start: int, end: int, alternation: bytes) -> bool:
    """Return whether one of some words occurs shortly before or directly after a match."""
    context = data[max(0, start - _BEFORE) : start] + b" \xfe " + data[end : end + _AFTER]
    return compile_bytes(words_pattern(alternation)).search(context) is not None


def accept(score: float) -> Validator:
    """Return a validator that accepts every match, or its first group if it has one."""

    def validate(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
        del data
        group = 1 if match.re.groups else 0
        yield match.start(group), match.end(group), score

    return validate
