"""What a handler of gRPC sees of its transport, and what it gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Protocol

NGHTTP2, GRPC = TRANSPORTS = ("nghttp2", "grpc")
MAX_STREAMS = 4096
"""Streams at a time, over all connections; one more is refused with RESOURCE_EXHAUSTED."""
SHARED_STREAMS = 32
"""Streams of a connection where there are several workers: a gateway opens one connection more than it can fill, and
which worker has it is drawn by the kernel. With as many as else all requests would go to one."""
AGE = 5.0
"""Seconds after which a connection is asked to make place for another, give or take a tenth: so new processes get their
share, and who stops need not wait long."""

LONGEST_LAMEDUCK = 60.0
"""Seconds that a process may be told to serve on, unready, once it is to stop."""


class Status(IntEnum):
    """Codes of gRPC with which a stream ends, as far as they are used."""

    OK = 0
    CANCELLED = 1
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14


Outcome = bytes | tuple[Status, str]
"""The last message, with which a stream ends in OK; without one, the status to end with and its reason."""


class Stream(Protocol):
    """One stream. Its handler's task is cancelled where the client goes."""

    async def read(self) -> Any:  # noqa: ANN401 - protobuf classes built at run time have no static type
        """The next message; something false after the last."""

    async def write(self, message: bytes, /) -> None:
        """Send a message."""

    def add_done_callback(self, callback: Callable[[Any], None], /) -> None:
        """Call back when the stream is over, however it ends."""


@dataclass(frozen=True, slots=True)
class Method:
    """What answers a method's streams: ``parse`` reads messages, ``handle`` drives a stream."""

    parse: Callable[[bytes], Any]
    handle: Callable[[Stream], Awaitable[Outcome]]


Methods = Mapping[tuple[str, str], Method]
"""By service and name."""


class Server(Protocol):
    """What listens.

    Attributes:
        name: which of `TRANSPORTS` it is.
        port: where.
    """

    name: str
    port: int

    @property
    def connections(self) -> int:
        """How many are open."""

    def retire(self) -> None:
        """Take no new connection; those that are there are served until they have made place, as each does in time."""

    async def stop(self, seconds: float) -> None:
        """Refuse what begins, and end what has not ended by then."""
