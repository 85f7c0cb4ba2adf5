"""The interface between gRPC handlers and transports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

NGHTTP2, GRPC = TRANSPORTS = ("nghttp2", "grpc")
MAX_STREAMS = 4096
"""Concurrent streams, over all connections; one more gets RESOURCE_EXHAUSTED."""
SHARED_STREAMS = 32
"""Concurrent streams per connection with several processes. Low, so that Envoy opens several connections, which
SO_REUSEPORT spreads over the processes."""
AGE = 5.0
"""Seconds after which a connection gets GOAWAY, plus or minus a tenth: new processes get their share of the load, and a
process that stops need not wait long."""
MAX_SHUTDOWN_DELAY = 60.0
"""Largest value of ``--shutdown-delay``, in seconds."""


class Status(IntEnum):
    """The gRPC status codes that are used."""

    OK = 0
    CANCELLED = 1
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14


Outcome = bytes | tuple[Status, str]
"""The last message of a stream that ends in OK; otherwise the status and its message."""


class Stream(Protocol):
    """One stream. Its handler's task is cancelled when the client goes away."""

    async def read(self) -> Any:  # noqa: ANN401 - protobuf classes built at run time have no static type
        """The next message; a false value after the last."""

    async def write(self, message: bytes, /) -> None:
        """Send a message."""

    def add_done_callback(self, callback: Callable[[Any], None], /) -> None:
        """Call back when the stream is over, however it ends."""


@dataclass(frozen=True, slots=True)
class Method:
    """A gRPC method: ``parse`` decodes its messages, ``handle`` drives a stream."""

    parse: Callable[[bytes], Any]
    handle: Callable[[Stream], Awaitable[Outcome]]


Methods = Mapping[tuple[str, str], Method]
"""By service and name."""


class Server(Protocol):
    """A listening transport.

    Attributes:
        name: one of `TRANSPORTS`.
        port: the port that was bound.
    """

    name: str
    port: int

    @property
    def connections(self) -> int:
        """Open connections."""

    def retire(self) -> None:
        """Accept no more connections; serve the open ones until they have been retired in turn."""

    async def stop(self, seconds: float) -> None:
        """Reject new streams, wait at most this long for the open ones, then end them."""
