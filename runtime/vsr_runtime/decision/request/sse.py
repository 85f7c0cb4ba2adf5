"""Server-sent events: cut out of bytes that come in pieces, and written again where their data has changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT = 4 << 20
"""Bytes of an event; one that is longer is none of an API's."""
_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE = re.compile(r"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"
_KNOWN_FIELDS = frozenset({"", "event", "id", "retry"})
"""What a line may begin with beside ``data``; a comment has no name."""


class StreamError(ValueError):
    """The stream is none of events that can be read."""


@dataclass(frozen=True, slots=True)
class SseEvent:
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
        return _serialise((*self.others, *(f"data: {line}" for line in data.split("\n"))))

    def beside(self, others: tuple[str, ...]) -> SseEvent:
        """The event with other lines beside its data."""
        data = () if self.data is None else tuple(f"data: {line}" for line in self.data.split("\n"))
        return SseEvent(_serialise((*others, *data)), others, self.data)


class SseSplitter:
    """Cuts bytes into events; a piece may end anywhere."""

    def __init__(self) -> None:
        self._held = bytearray()  # which grows in place: bytes would be copied with every piece
        self._begun = False

    @property
    def holds(self) -> bool:
        """Whether a part of an event is held."""
        return bool(self._held.strip())

    def feed(self, piece: bytes) -> Iterator[SseEvent]:
        """The events that are whole now.

        Raises:
            StreamError: an event is too long, or no UTF-8.
        """
        # A carriage return may be the first half of a line's end, so the search begins a little before the new piece.
        start = max(0, len(self._held) - 3)
        self._held += piece
        last = 0
        for match in _EVENT_END.finditer(self._held, start):
            yield self._parse(bytes(self._held[last : match.end()]))
            last = match.end()
        if last:
            self._held = self._held[last:]
        if len(self._held) > MAX_EVENT:
            raise StreamError("an event is too long")

    def end(self) -> SseEvent | None:
        """What is left when the stream ends: an event without its blank line."""
        rest, self._held = bytes(self._held), bytearray()
        return self._parse(rest) if rest.strip() else None

    def _parse(self, raw: bytes) -> SseEvent:
        """An event; the mark that the first one may begin with belongs to no line of it, and goes."""
        first, self._begun = not self._begun, True
        return _parse_event(raw.removeprefix(_BOM) if first else raw)


def _serialise(lines: tuple[str, ...]) -> bytes:
    return ("\n".join(lines) + "\n\n").encode()


def _parse_event(raw: bytes) -> SseEvent:
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
            strange = strange or name not in _KNOWN_FIELDS
    return SseEvent(raw, tuple(others), "\n".join(data) if data else None, strange)
