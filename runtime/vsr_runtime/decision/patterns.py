"""Regular expressions that are matched in linear time.

RE2 is also the engine of the stock router. It supports no look-around, back-references, possessive repeats or atomic
groups, so a pattern that uses one is rejected when the config is read. Matching takes time proportional to the length
of the text times the size of the compiled pattern, and that size is bounded here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vsr_runtime.decision.deadline import Expired, check_deadline

MAX_PROGRAM = 2000
"""Maximum instructions of a compiled pattern. The slowest of that size takes 7 µs per byte, a typical one 1 ns."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """Compiled patterns."""

    patterns: tuple[Any, ...]

    @property
    def work(self) -> int:
        """Steps per byte of text."""
        return sum(pattern.programsize for pattern in self.patterns)

    def occurrences(self, text: str, expired: Expired) -> Iterator[bool]:
        """Yield, for each pattern, whether it occurs."""
        data = text.encode()
        for pattern in self.patterns:
            check_deadline(expired)
            yield pattern.search(data) is not None

    def count(self, text: str, stop: int, expired: Expired) -> int:
        """Return the number of matches of all patterns, at most ``stop``."""
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
    """Compile patterns.

    Raises:
        ValueError: a pattern is invalid, has no linear-time form, is too large, or matches the empty text.
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
        raise ValueError(f"the pattern {pattern!r:.200} matches the empty text; it must require at least one character")
    return compiled


def matches(pattern: Any, data: bytes) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Yield the non-overlapping matches of a pattern. After an empty match the search continues one byte later."""
    at = 0
    while at <= len(data) and (match := pattern.search(data, at)):
        yield match
        at = match.end() + (match.end() == match.start())
