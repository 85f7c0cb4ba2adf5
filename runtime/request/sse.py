"""Server-sent events: cut out of bytes that come in pieces, and written again where their data has changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT = 4 << 20
"""Bytes of an event; one that is longer is none of an API's."""
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE = re.compile(r"\r\n|\n|\r")


class StreamError(ValueError):
    """The stream is none of events that can be read."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event: its bytes as they came, the lines beside its data, and its data (None where it has none)."""

    raw: bytes
    others: tuple[str, ...]
    data: str | None

    def render(self, data: str) -> bytes:
        """The event with other data."""
        lines = [*self.others, *(f"data: {line}" for line in data.split("\n"))]
        return ("\n".join(lines) + "\n\n").encode()


class Splitter:
    """Cuts bytes into events; a piece may end anywhere."""

    def __init__(self) -> None:
        self._held = b""

    def feed(self, piece: bytes) -> Iterator[Event]:
        """The events that are whole now.

        Raises:
            StreamError: an event is too long, or no UTF-8.
        """
        # A carriage return may be the first half of a line's end, so the search begins a little before the new piece.
        start = max(0, len(self._held) - 3)
        self._held += piece
        last = 0
        for match in _END.finditer(self._held, start):
            yield _event(self._held[last : match.end()])
            last = match.end()
        self._held = self._held[last:]
        if len(self._held) > MAX_EVENT:
            raise StreamError("an event is too long")

    def end(self) -> Event | None:
        """What is left when the stream ends: an event without its blank line."""
        rest, self._held = self._held, b""
        return _event(rest) if rest.strip() else None


def _event(raw: bytes) -> Event:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise StreamError("an event is no UTF-8") from None
    others: list[str] = []
    data: list[str] = []
    for line in _LINE.split(text):
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif line:
            others.append(line)
    return Event(raw, tuple(others), "\n".join(data) if data else None)
