"""One stream of gRPC over nghttp2: messages in, messages out, and the status at its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vsr_runtime.server.transport.nghttp2 import DEFERRED, EOF, NO_END_STREAM, ffi
from vsr_runtime.server.transport.stream import Method, Outcome, Status

if TYPE_CHECKING:
    from vsr_runtime.server.transport.connection import Connection

HIGH = 64 << 10
"""Bytes not yet sent from which a handler waits until they are."""
STALLED = 60.0
"""Seconds that a client may take for them, and for an answer whose handler has ended."""
_PREFIX = 5
"""Bytes before a message: whether it is compressed, and its length."""
_REASON = 1024
"""Characters of a reason that are told."""


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

    Bytes that wait, for their reader or to be sent, are counted by the connection. Messages are parsed when they are
    read, since a parsed one takes many times its bytes.

    Args:
        connection: whose stream it is.
        number: of the stream.

    Attributes:
        over: whether its end is known: nothing is read any more, and nothing added to what is sent.
    """

    __slots__ = (
        "_away",
        "_buffer",
        "_callbacks",
        "_connection",
        "_drained",
        "_ended",
        "_heard",
        "_held",
        "_idle",
        "_last",
        "_method",
        "_number",
        "_out",
        "_owed",
        "_parts",
        "_place",
        "_started",
        "_task",
        "_unsent",
        "_waiter",
        "_whole",
        "over",
    )

    def __init__(self, connection: Connection, number: int) -> None:
        self._connection, self._number = connection, number
        self._method: Method | None = None
        self._task: asyncio.Task[None] | None = None
        self._buffer = bytearray()
        self._whole = 0  # bytes of the first message in the buffer once all of it is there
        self._held = self._owed = 0
        self._parts = 0  # of its place: its handler, and what it sends
        self._waiter: asyncio.Future[None] | None = None
        self._out: deque[bytes] = deque()
        self._place = self._unsent = 0  # how much of the first piece was sent, and how much of all was not
        self._ended = self._heard = self._started = self._idle = self._away = self.over = False
        self._last: Fields | None = None
        self._drained: asyncio.Future[None] | None = None
        self._callbacks: list[Callable[[Any], None]] = []

    # What a handler calls.

    async def read(self) -> Any:  # noqa: ANN401 - as `Stream` has it
        """The next message, or None after the last."""
        while not self._whole:
            if self._ended or self.over:
                return None
            self._waiter = self._connection.loop.create_future()
            await self._waiter
        size, buffer = self._whole, self._buffer
        data = bytes(memoryview(buffer)[_PREFIX:size])
        del buffer[:size]
        self._count(-size)
        self._heard = True
        self._look()
        if self._owed and not self._whole:
            self._connection.credit(self._number, self._owed)
            self._owed = 0
        try:
            return self._method.parse(data)  # type: ignore[union-attr] # who reads is a method's handler
        except Exception:  # noqa: BLE001 - each parser has its own
            self._fail(Status.INTERNAL, "this is no message of the service")
            return None

    async def write(self, message: bytes) -> None:
        """Send a message. What is long is waited for.

        Raises:
            TimeoutError: the client does not take it.
        """
        if self.over:
            return
        self._send(message)
        if self._unsent > HIGH:
            self._drained = self._connection.loop.create_future()
            async with asyncio.timeout(STALLED):
                await self._drained

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call back when the stream is over and its end was handed on, or its client has gone."""
        if self._away:
            callback(self)
        else:
            self._callbacks.append(callback)

    # What the connection calls.

    @property
    def busy(self) -> bool:
        """Whether it has something to do or to send yet."""
        return not self._away

    @property
    def stale(self) -> bool:
        """Whether it waits for nothing but its client: to take an answer, or to ask something at all."""
        return not self._away and (self.over or not self._heard)

    def begin(self, method: Method) -> None:
        """Let a method answer."""
        self._method, self._parts = method, 2
        self._connection.begun()
        self._task = self._connection.loop.create_task(self._run(method))
        self._task.add_done_callback(self._part)

    def receive(self, data: bytes) -> None:
        """Take a piece of what comes, which may be a part of a message, or several."""
        if self.over:
            return  # who has been answered may go on for a moment
        self._buffer += data
        if not self._count(len(data)):
            self._fail(Status.RESOURCE_EXHAUSTED, "too much is being received")
        elif self._whole:
            self._owed += len(data)
        else:
            self._look()
            if self._whole:
                self._owed += len(data)
                self._wake()
            else:
                self._connection.credit(self._number, len(data))

    def end(self) -> None:
        """Nothing more comes."""
        self._ended = True
        self._look()
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
                out.popleft()
                self._place = 0
            else:
                self._place += length
        self._unsent -= size
        self._count(-size)
        if not self._unsent:
            if self._drained and not self._drained.done():
                self._drained.set_result(None)
            if self._last is not None:
                flags[0] = EOF | NO_END_STREAM
                self._connection.submit_trailers(self._number, self._last)
                self._connection.answered(self._number)
                self._sent()
        return size

    def refuse(self, status: Status, reason: str) -> None:
        """End a stream that nobody answers."""
        self._finish((status, reason))

    def refuse_kind(self) -> None:
        """End a stream that is no gRPC."""
        self.over = True
        self._answer(NO_GRPC)

    def close(self) -> None:
        """The stream is over: its client has gone, or has all that was sent."""
        self.over = True
        self._whole = 0
        if self._held:
            self._count(-self._held)
            self._buffer.clear()
            self._out.clear()
        if self._task and not self._task.done():
            self._task.cancel()
        self._sent()

    # What is inside.

    async def _run(self, method: Method) -> None:
        outcome: Outcome = (Status.UNAVAILABLE, "the runtime is stopping")
        try:
            outcome = await method.handle(self)
        except Exception as error:  # noqa: BLE001 - whatever it is, the stream must not end in OK
            outcome = (Status.INTERNAL, f"internal error ({type(error).__name__})")
        finally:
            self._finish(outcome)

    def _look(self) -> None:
        """See whether the first message is there; what is wrong with it, or never will be whole, ends the stream."""
        buffer = self._buffer
        self._whole = 0
        if self.over:
            return
        if len(buffer) >= _PREFIX:
            size = int.from_bytes(buffer[1:_PREFIX], "big")
            if buffer[0]:
                self._fail(Status.UNIMPLEMENTED, "messages must not be compressed")
                return
            if size > self._connection.max_message:
                self._fail(Status.RESOURCE_EXHAUSTED, "the message is too large")
                return
            if len(buffer) >= size + _PREFIX:
                self._whole = size + _PREFIX
                return
        if self._ended and buffer:
            self._fail(Status.INTERNAL, "the stream ended within a message")

    def _count(self, size: int) -> bool:
        """Count bytes that wait; whether there is place for them."""
        self._held += size
        return self._connection.buffer(size)

    def _sent(self) -> None:
        if not self._away:
            self._away = True
            for each in self._callbacks:
                each(self)
            self._part()

    def _part(self, *_: object) -> None:
        self._parts -= 1
        if not self._parts:
            self._connection.ended()

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
        if self.over:
            return
        if isinstance(outcome, bytes):
            self._last = DONE
            self._send(outcome)
        else:
            reason = quote(outcome[1][:_REASON], errors="replace").encode()
            status = (b"grpc-status", b"%d" % outcome[0]), (b"grpc-message", reason)
            if self._started:
                self._last = Fields(*status)
                self._resume()
            else:
                self._answer(Fields(*_BEGIN, *status))
        self.over = True
        self._whole = 0
        if self._buffer:
            self._count(-len(self._buffer))
            self._buffer = bytearray()

    def _answer(self, fields: Fields) -> None:
        """Send an answer that has no messages."""
        self._connection.submit_headers(self._number, fields, last=True)
        self._connection.answered(self._number)
        self._sent()

    def _send(self, message: bytes) -> None:
        size = _PREFIX + len(message)
        self._out += (b"\0" + len(message).to_bytes(4, "big"), message) if message else (bytes(_PREFIX),)
        self._unsent += size
        self._count(size)
        if self._started:
            self._resume()
        else:
            self._started = True
            self._connection.submit_headers(self._number, HEAD, last=False)

    def _resume(self) -> None:
        if self._idle:
            self._idle = False
            self._connection.resume(self._number)
