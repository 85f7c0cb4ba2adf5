"""Regular expressions that are matched in linear time.

RE2 is also the engine of the stock router. It supports no look-around, back-references, possessive repeats or atomic
groups, so a pattern that uses one is rejected when the config is read. Matching takes time proportional to the length
of the text times the size of the compiled pattern, and that size is bounded here. That is true of one search: all
matches of ``x(.*y)?`` in a row of ``x`` would take as many searches to the end of the text, see `matches`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from vsr_runtime.decision.deadline import Expired, check_deadline, never

MAX_PROGRAM = 5000
"""Maximum instructions of a compiled pattern. The slowest of that size takes 18 µs per byte, a typical one 2 ns.

A dot of UTF-8 takes about nine, so patterns of published configs with many counted dots in a row have some 4,400.
"""


EXACT_MATCHES = 32
"""Matches of a pattern in a text that are searched for in all of it."""
_WINDOW, _AHEAD = 4096, 512
"""Bytes of the first window in which a later match is searched for, and bytes of it that must follow the match."""
STEPS_PER_SEARCH = 1000
"""Steps of the budget for a search, besides one for each byte."""


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
            check_deadline(expired, len(data))
            yield pattern.search(data) is not None

    def count(self, text: str, stop: int, expired: Expired) -> int:
        """Return the number of matches of all patterns, at most ``stop``."""
        data = text.encode()
        number = 0
        for pattern in self.patterns:
            for _ in matches(pattern, data, expired):
                number += 1
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


def matches(pattern: Any, data: bytes, expired: Expired = never) -> Iterator[Any]:  # noqa: ANN401 - as above
    """Yield the non-overlapping matches of a pattern. After an empty match the search continues one byte later.

    The first `EXACT_MATCHES` are searched for in all the text. The rest are searched for in windows, which grow until
    one has a match that ends well inside it, so that all searches together read each byte a bounded number of times. A
    later match that is longer than such a window may be shortened.

    Raises:
        DeadlineExceededError: the deadline passed first.
    """
    at = number = 0
    while at <= len(data) and (match := _next_match(pattern, data, at, expired, whole=number < EXACT_MATCHES)):
        yield match
        number += 1
        at = match.end() + (match.end() == match.start())


def _next_match(pattern: Any, data: bytes, at: int, expired: Expired, *, whole: bool) -> Any:  # noqa: ANN401 - as above
    size = len(data) if whole else _WINDOW
    while True:
        end = min(at + size, len(data))
        check_deadline(expired, STEPS_PER_SEARCH + end - at)
        match = pattern.search(data, at, end)
        if end == len(data) or (match and match.end() <= end - _AHEAD):
            return match
        size *= 2
