"""One stream of gRPC over nghttp2: messages in, messages out, and the status at its end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from runtime.serve.transport.nghttp2 import DEFERRED, EOF, NO_END_STREAM, ffi
from runtime.serve.transport.stream import Method, Outcome, Status

if TYPE_CHECKING:
    from runtime.serve.transport.connection import Connection

HIGH = 64 << 10
"""Bytes not yet sent from which a handler waits until they are."""
_PREFIX = 5
"""Bytes before a message: whether it is compressed, and its length."""


class Fields:
    """Header fields in the form that the library takes, which copies them when it is given them."""

    def __init__(self, *fields: tuple[bytes, bytes]) -> None:
        self._kept = [ffi.new("uint8_t[]", text) for field in fields for text in field]
        self.size = len(fields)
        self.array = ffi.new("nghttp2_nv[]", self.size)
        for index, (name, value) in enumerate(fields):
            each = self.array[index]
            each.name, each.value = self._kept[2 * index], self._kept[2 * index + 1]
            each.namelen, each.valuelen = len(name), len(value)


_BEGIN = ((b":status", b"200"), (b"content-type", b"application/grpc"))
HEAD = Fields(*_BEGIN)
DONE = Fields((b"grpc-status", b"0"))
NO_GRPC = Fields((b":status", b"415"))


class Call:
    """A `Stream`. What the library is told takes effect when the connection sends next.

    Args:
        connection: whose stream it is.
        number: of the stream.
    """

    __slots__ = (
        "_begun",
        "_buffer",
        "_callbacks",
        "_connection",
        "_drained",
        "_ended",
        "_gone",
        "_held",
        "_idle",
        "_last",
        "_messages",
        "_method",
        "_need",
        "_number",
        "_out",
        "_over",
        "_owed",
        "_place",
        "_started",
        "_task",
        "_unsent",
        "_waiter",
    )

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection, self._number = connection, number
        self._method: Method | None = None
        self._task: asyncio.Task[None] | None = None
        self._buffer = bytearray()
        self._need, self._begun = _PREFIX, False
        self._messages: list[tuple[Any, int]] = []
        self._held = self._owed = 0
        self._ended = False
        self._waiter: asyncio.Future[None] | None = None
        self._out: list[bytes] = []
        self._place = self._unsent = 0
        self._started = self._idle = self._over = self._gone = False
        self._last: Fields | None = None
        self._drained: asyncio.Future[None] | None = None
        self._callbacks: list[Callable[[Any], None]] = []

    # What a handler calls.

    async def read(self) -> Any:  # noqa: ANN401 - as `Stream` has it
        """The next message, or None after the last."""
        if not self._messages:
            if self._ended:
                return None
            self._waiter = self._connection.loop.create_future()
            await self._waiter
            self._waiter = None
            if not self._messages:
                return None
        message, size = self._messages.pop(0)
        self._connection.buffer(-size)
        self._held -= size
        if self._owed and not self._messages:
            self._connection.credit(self._number, self._owed)
            self._owed = 0
            self._connection.wake()
        return message

    async def write(self, message: bytes) -> None:
        """Send a message. What is long is waited for."""
        if self._gone or self._over:
            return
        self._send(message)
        if self._unsent > HIGH:
            self._drained = self._connection.loop.create_future()
            await self._drained
            self._drained = None

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call back when the stream is over."""
        if self._gone:
            callback(self)
        else:
            self._callbacks.append(callback)

    # What the connection calls.

    def begin(self, method: Method) -> None:
        """Let a method answer."""
        self._method = method
        self._connection.begun()
        self._task = self._connection.loop.create_task(self._run(method))
        self._task.add_done_callback(self._connection.ended)

    def receive(self, data: bytes) -> None:
        """Take a piece of what comes, which may be a part of a message, or several."""
        method = self._method
        if method is None or self._over:
            return  # who has been answered may go on for a moment
        self._held += len(data)
        if not self._connection.buffer(len(data)):
            self._fail(Status.RESOURCE_EXHAUSTED, "too much is being received")
        self._buffer += data
        while len(self._buffer) >= self._need and not self._over:
            self._step(method)
        if self._messages:
            self._owed += len(data)
        else:
            self._connection.credit(self._number, len(data))

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        if (self._buffer or self._begun) and not self._over:
            self._fail(Status.INTERNAL, "the stream ended within a message")
        self._wake()

    def fill(self, buffer: Any, size: int, flags: Any) -> int:  # noqa: ANN401 - the library's memory
        """Give what is to be sent, as far as there is place for it; the library sends it as DATA."""
        out, size = self._out, min(size, self._unsent)
        if not size and self._last is None:
            self._idle = True
            return DEFERRED
        filled = 0
        while filled < size:
            part, place = out[0], self._place
            length = min(len(part) - place, size - filled)
            ffi.memmove(buffer + filled, memoryview(part)[place:] if place else part, length)
            filled += length
            if place + length == len(part):
                del out[0]
                self._place = 0
            else:
                self._place += length
        self._unsent -= size
        if not self._unsent:
            if self._drained and not self._drained.done():
                self._drained.set_result(None)
            if self._last is not None:
                flags[0] = EOF | NO_END_STREAM
                self._connection.submit_trailers(self._number, self._last)
        return size

    def refuse(self, status: Status, reason: str) -> None:
        """End a stream that nobody answers."""
        self._finish((status, reason))

    def refuse_kind(self) -> None:
        """End a stream that is no gRPC."""
        self._over = True
        self._connection.submit_headers(self._number, NO_GRPC, last=True)

    def close(self) -> None:
        """The stream is over: its client has gone, or has all that was sent."""
        self._gone = True
        self._connection.buffer(-self._held)
        self._held = 0
        if self._task and not self._task.done():
            self._task.cancel()
        for each in self._callbacks:
            each(self)

    # What is inside.

    async def _run(self, method: Method) -> None:
        outcome: Outcome = (Status.UNAVAILABLE, "the runtime is stopping")
        try:
            outcome = await method.handle(self)
        except Exception as error:  # noqa: BLE001 - whatever it is, the stream must not end in OK
            outcome = (Status.INTERNAL, f"internal error ({type(error).__name__})")
        finally:
            self._finish(outcome)

    def _step(self, method: Method) -> None:
        """Read what is there: a prefix, or the message after it."""
        data = bytes(memoryview(self._buffer)[: self._need])
        del self._buffer[: self._need]
        if self._begun:
            self._begun, self._need = False, _PREFIX
            self._parse(method, data)
            return
        size = int.from_bytes(data[1:_PREFIX], "big")
        if data[0]:
            self._fail(Status.UNIMPLEMENTED, "messages must not be compressed")
        elif size > self._connection.max_message:
            self._fail(Status.RESOURCE_EXHAUSTED, "the message is too large")
        else:
            self._begun, self._need = True, size

    def _parse(self, method: Method, data: bytes) -> None:
        try:
            message = method.parse(data)
        except Exception:  # noqa: BLE001 - each parser has its own
            self._fail(Status.INTERNAL, "this is no message of the service")
            return
        self._messages.append((message, _PREFIX + len(data)))
        self._wake()

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)
            self._connection.stir()

    def _fail(self, status: Status, reason: str) -> None:
        """End with a status what its handler cannot: it would wait for a message that will not come."""
        self._finish((status, reason))
        if self._task:
            self._task.cancel()

    def _finish(self, outcome: Outcome) -> None:
        if self._over or self._gone:
            return
        if isinstance(outcome, bytes):
            self._last = DONE
            self._send(outcome)
        else:
            status = (b"grpc-status", b"%d" % outcome[0]), (b"grpc-message", quote(outcome[1]).encode())
            if self._started:
                self._last = Fields(*status)
                self._resume()
            else:
                self._connection.submit_headers(self._number, Fields(*_BEGIN, *status), last=True)
        self._over = True

    def _send(self, message: bytes) -> None:
        self._out += (b"\0" + len(message).to_bytes(4, "big"), message) if message else (bytes(_PREFIX),)
        self._unsent += _PREFIX + len(message)
        if self._started:
            self._resume()
        else:
            self._started = True
            self._connection.submit_headers(self._number, HEAD, last=False)

    def _resume(self) -> None:
        if self._idle:
            self._idle = False
            self._connection.resume(self._number)
