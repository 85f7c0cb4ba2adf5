"""What all connections of one server share: its methods, its bounds and its counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from vsr_runtime.server.transport.stream import Method


class OpenConnection(Protocol):
    """A connection as the server sees it."""

    @property
    def busy(self) -> bool:
        """Whether a stream has something to do or to send."""

    def retire(self) -> None:
        """Send GOAWAY; serve the streams that are open."""

    def quit(self) -> None:
        """Close at once, after sending complete answers."""


@dataclass(slots=True)
class ServerState:
    """Methods, bounds and counts of one server.

    Attributes:
        methods: By path.
        max_message: Bytes of the largest message.
        max_buffered: Bytes that may be buffered before a stream that receives more is rejected.
        streams: Concurrent streams per connection.
        connections: Those that are open.
        running: Streams whose handler runs or whose answer is not sent yet.
        buffered: Bytes of messages that are incomplete, unread or unsent.
        stopping: Whether new streams are rejected.
    """

    methods: Mapping[bytes, Method]
    max_message: int
    max_buffered: int
    streams: int
    connections: set[OpenConnection] = field(default_factory=set)
    running: int = 0
    buffered: int = 0
    stopping: bool = False

    def buffer(self, size: int) -> bool:
        """Add to the buffered bytes. Returns False if they exceed the bound."""
        self.buffered += size
        return self.buffered <= self.max_buffered
