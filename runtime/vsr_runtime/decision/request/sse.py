"""Server-sent events: cut out of bytes that come in pieces, and written again where their data has changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT = 4 << 20
"""Bytes of an event; one that is longer is none of an API's."""
_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE = re.compile(r"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"
_FIELDS = frozenset({"", "event", "id", "retry"})
"""What a line may begin with beside ``data``; a comment has no name."""


class StreamError(ValueError):
    """The stream is none of events that can be read."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        raw: its bytes as they came.
        others: the lines beside its data.
        data: None where it has none.
        strange: whether one of the lines is none of the format's. Whoever reads it takes the stream for something else.
    """

    raw: bytes
    others: tuple[str, ...]
    data: str | None
    strange: bool = False

    def render(self, data: str) -> bytes:
        """The event with other data."""
        return _written((*self.others, *(f"data: {line}" for line in data.split("\n"))))

    def beside(self, others: tuple[str, ...]) -> Event:
        """The event with other lines beside its data."""
        data = () if self.data is None else tuple(f"data: {line}" for line in self.data.split("\n"))
        return Event(_written((*others, *data)), others, self.data)


class Splitter:
    """Cuts bytes into events; a piece may end anywhere."""

    def __init__(self) -> None:
        self._held = bytearray()  # which grows in place: bytes would be copied with every piece
        self._begun = False

    @property
    def holds(self) -> bool:
        """Whether a part of an event is held."""
        return bool(self._held.strip())

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
            yield self._event(bytes(self._held[last : match.end()]))
            last = match.end()
        if last:
            self._held = self._held[last:]
        if len(self._held) > MAX_EVENT:
            raise StreamError("an event is too long")

    def end(self) -> Event | None:
        """What is left when the stream ends: an event without its blank line."""
        rest, self._held = bytes(self._held), bytearray()
        return self._event(rest) if rest.strip() else None

    def _event(self, raw: bytes) -> Event:
        """An event; the mark that the first one may begin with belongs to no line of it, and goes."""
        first, self._begun = not self._begun, True
        return _event(raw.removeprefix(_BOM) if first else raw)


def _written(lines: tuple[str, ...]) -> bytes:
    return ("\n".join(lines) + "\n\n").encode()


def _event(raw: bytes) -> Event:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise StreamError("an event is no UTF-8") from None
    others: list[str] = []
    data: list[str] = []
    strange = False
    for line in _LINE.split(text):
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif line:
            others.append(line)
            strange = strange or name not in _FIELDS
    return Event(raw, tuple(others), "\n".join(data) if data else None, strange)
