"""Server-sent events: parsing from chunks of bytes, and serialising with changed data."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_EVENT = 4 << 20
"""Maximum bytes of an event."""
_EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE = re.compile(r"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"
_KNOWN_FIELDS = frozenset({"", "event", "id", "retry"})
"""Field names besides ``data``. A comment has an empty name."""


class StreamError(ValueError):
    """The data is not a readable event stream."""


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event.

    Attributes:
        raw: its bytes as received.
        others: its lines other than data.
        data: its data; None if it has none.
        strange: whether a line does not belong to the format, so that a client may take the stream for something else.
    """

    raw: bytes
    others: tuple[str, ...]
    data: str | None
    strange: bool = False

    def render(self, data: str) -> bytes:
        """Return the event with other data."""
        return _serialise((*self.others, *(f"data: {line}" for line in data.split("\n"))))

    def repeatable(self) -> SseEvent:
        """Return the event without the lines that must not occur twice: ids, retry times and comments."""
        return SseEvent(b"", tuple(line for line in self.others if line.partition(":")[0] == "event"), self.data)

    def with_lines(self, others: tuple[str, ...]) -> SseEvent:
        """Return the event with other lines besides its data."""
        data = () if self.data is None else tuple(f"data: {line}" for line in self.data.split("\n"))
        return SseEvent(_serialise((*others, *data)), others, self.data)


class SseSplitter:
    """Splits bytes into events. A chunk may end anywhere."""

    def __init__(self) -> None:
        self._held = bytearray()  # grows in place; bytes would be copied with every chunk
        self._started = False

    @property
    def holds(self) -> bool:
        """Whether part of an event is held."""
        return bool(self._held.strip())

    def feed(self, chunk: bytes) -> Iterator[SseEvent]:
        """Yield the events that are complete.

        Raises:
            StreamError: an event is too long or not UTF-8.
        """
        # A carriage return may be half of a line break, so the search begins slightly before the new chunk.
        start = max(0, len(self._held) - 3)
        self._held += chunk
        last = 0
        for match in _EVENT_END.finditer(self._held, start):
            yield self._parse(bytes(self._held[last : match.end()]))
            last = match.end()
        if last:
            self._held = self._held[last:]
        if len(self._held) > MAX_EVENT:
            raise StreamError("an event is too long")

    def end(self) -> SseEvent | None:
        """Return the remaining event, which has no blank line at its end; None if there is none."""
        rest, self._held = bytes(self._held), bytearray()
        return self._parse(rest) if rest.strip() else None

    def _parse(self, raw: bytes) -> SseEvent:
        """Return an event. A byte order mark before the first one is removed."""
        first, self._started = not self._started, True
        return _parse_event(raw.removeprefix(_BOM) if first else raw)


def _serialise(lines: tuple[str, ...]) -> bytes:
    return ("\n".join(lines) + "\n\n").encode()


def _parse_event(raw: bytes) -> SseEvent:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise StreamError("an event is not UTF-8") from None
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
