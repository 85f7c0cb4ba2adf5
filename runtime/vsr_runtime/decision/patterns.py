"""Finds regular expressions in a text, in linear time whatever pattern and text are.

RE2 is the engine of the stock router too. It has no look-around, no back-reference, no possessive repeat and no atomic
group, so a pattern that needs one is refused when the config is read. What it does have takes time that grows with the
length of the text times the size of the pattern's program, and that size is bounded here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vsr_runtime.decision.deadline import Expired, check_deadline

MAX_PROGRAM = 2000
"""Instructions of a compiled pattern. The slowest of that size takes some 7 µs a byte, an ordinary one 1 ns."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Patterns made ready."""

    patterns: tuple[Any, ...]

    @property
    def work(self) -> int:
        """Steps a byte."""
        return sum(pattern.programsize for pattern in self.patterns)

    def found(self, text: str, expired: Expired) -> Iterator[bool]:
        """For each pattern whether it occurs."""
        data = text.encode()
        for pattern in self.patterns:
            check_deadline(expired)
            yield pattern.search(data) is not None

    def count(self, text: str, stop: int, expired: Expired) -> int:
        """How often the patterns occur, up to ``stop``."""
        data = text.encode()
        number = 0
        for pattern in self.patterns:
            for _ in matches(pattern, data):
                number += 1
                check_deadline(expired)
                if number >= stop:
                    return number
        return number


def compile_patterns(patterns: Sequence[str], *, case_sensitive: bool) -> Patterns:
    """Make patterns ready.

    Raises:
        ValueError: one has no linear-time form, is no regular expression, is too large, or matches the empty text.
    """
    import re2  # noqa: PLC0415 - needed only where a config has patterns

    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = case_sensitive
    return Patterns(tuple(_compile(re2, pattern, options) for pattern in patterns))


def _compile(re2: Any, pattern: str, options: Any) -> Any:  # noqa: ANN401 - re2 ships no types
    try:
        compiled = re2.compile(pattern.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise ValueError(f"the pattern {pattern!r:.200} cannot be run in linear time ({reason})") from None
    if compiled.programsize > MAX_PROGRAM:
        raise ValueError(f"the pattern {pattern!r:.200} is too large; shorten its repeats and classes")
    if compiled.search(b"") is not None:
        raise ValueError(f"the pattern {pattern!r:.200} matches the empty text; it must ask for something")
    return compiled


def matches(pattern: Any, data: bytes) -> Iterator[Any]:  # noqa: ANN401 - as above
    """One match after the other, without overlap. After an empty one, as between words, goes a step of one byte."""
    at = 0
    while at <= len(data) and (match := pattern.search(data, at)):
        yield match
        at = match.end() + (match.end() == match.start())
