"""How asks are extracted: markers of known harnesses, and a policy's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from vsr_runtime.decision.ask.vocabulary import Meaning, meaning_of_tag

MAX_MARKERS = 1000
"""Matches of one marker that are read in a text."""


@dataclass(frozen=True, slots=True)
class Marker:
    """A pair of RE2 patterns around context, or around the ask. ``close`` is None if it reaches to the end."""

    open: Any
    close: Any
    meaning: Meaning

    def pairs(self, data: bytes) -> Iterator[tuple[int, int, int, int]]:
        """Yield, in bytes, the bounds of each block and of its content."""
        closes = _matches(self.close, data)
        close = next(closes, None)
        last = 0
        for start, inner in _matches(self.open, data):
            if start < last:
                continue
            while close is not None and close[0] < inner:
                close = next(closes, None)
            if close is None:
                return
            yield start, close[1], inner, close[0]
            last = close[1]


@dataclass(frozen=True, slots=True)
class AskRules:
    """How asks are extracted.

    Attributes:
        tags: what known tags hold, by name.
        markers: a policy's own markers.
    """

    tags: Mapping[str, Meaning] = field(default_factory=dict)
    markers: tuple[Marker, ...] = ()

    def meaning(self, name: str) -> tuple[Meaning | None, bool]:
        """Return what a block holds, and whether that is known rather than guessed from its name."""
        known = self.tags.get(name)
        return (meaning_of_tag(name), False) if known is None else (known, True)


def _matches(pattern: Any, data: bytes) -> Iterator[tuple[int, int]]:  # noqa: ANN401 - re2 ships no types
    """Yield the matches that are not empty."""
    place = 0
    for _ in range(MAX_MARKERS):
        match = pattern.search(data, place)
        if match is None:
            return
        start, end = match.span()
        if start < end:
            yield start, end
        place = max(end, start + 1)
