"""One gRPC call over nghttp2: messages in, messages out, and the status at its end."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from vsr_runtime.server.transport.nghttp2 import DEFERRED, EOF, NO_END_STREAM, ffi
from vsr_runtime.server.transport.session import Fields, Session
from vsr_runtime.server.transport.state import ServerState
from vsr_runtime.server.transport.stream import Method, Outcome, Status

HIGH = 64 << 10
"""Unsent bytes above which a handler that writes has to wait."""
STALLED = 60.0
"""Seconds that a client may take to read them, or to read an answer whose handler has ended."""
_PREFIX = 5
"""Bytes before a message: a compression flag, and its length."""
_REASON = 1024
"""Characters of a status message."""
_BEGIN = ((b":status", b"200"), (b"content-type", b"application/grpc"))
HEAD = Fields(*_BEGIN)
DONE = Fields((b"grpc-status", b"0"))
NO_GRPC = Fields((b":status", b"415"))


class Call:
    """A `Stream` of a session. What it submits is sent when the connection sends next.

    The server counts the bytes that are buffered, received or to be sent. Messages are parsed when they are read,
    because a parsed message takes many times its bytes.

    Args:
        session: its session.
        state: the server's bounds and counts.
        number: of the stream.
        answered: called when its answer was handed to the library.
        ready: called when a handler got something to do.

    Attributes:
        over: whether its outcome is known: nothing more is read, and nothing is added to what is sent.
    """

    __slots__ = (
        "_answered",
        "_buffer",
        "_callbacks",
        "_drained",
        "_ended",
        "_gone",
        "_has_read",
        "_held",
        "_idle",
        "_last",
        "_loop",
        "_method",
        "_number",
        "_offset",
        "_out",
        "_owed",
        "_pending",
        "_ready",
        "_session",
        "_size",
        "_started",
        "_state",
        "_task",
        "_unsent",
        "_waiter",
        "over",
    )

    def __init__(
        self,
        session: Session,
        state: ServerState,
        number: int,
        *,
        answered: Callable[[int], None],
        ready: Callable[[], None],
    ) -> None:
        self._session, self._state, self._number = session, state, number
        self._answered, self._ready = answered, ready
        self._loop = asyncio.get_running_loop()
        self._method: Method | None = None
        self._task: asyncio.Task[None] | None = None
        self._buffer = bytearray()
        self._size = 0  # bytes of the first message in the buffer, once it is complete
        self._held = 0  # bytes that the server counts for this call
        self._owed = 0  # bytes of the stream's window that the client gets back once the message was read
        self._pending = 0  # what still runs: the handler, and sending
        self._waiter: asyncio.Future[None] | None = None
        self._out: deque[bytes] = deque()
        self._offset = 0  # bytes of the first part that were sent
        self._unsent = 0
        self._ended = self._has_read = self._started = self._idle = self._gone = self.over = False
        self._last: Fields | None = None
        self._drained: asyncio.Future[None] | None = None
        self._callbacks: list[Callable[[Any], None]] = []

    # Called by handlers.

    async def read(self) -> Any:  # noqa: ANN401 - as `Stream` has it
        """The next message; None after the last."""
        while not self._size:
            if self._ended or self.over:
                return None
            self._waiter = self._loop.create_future()
            await self._waiter
        size, buffer = self._size, self._buffer
        data = bytes(memoryview(buffer)[_PREFIX:size])
        del buffer[:size]
        self._count(-size)
        self._has_read = True
        self._scan()
        if self._owed and not self._size:
            self._session.credit(self._number, self._owed)
            self._owed = 0
        try:
            return self._method.parse(data)  # type: ignore[union-attr] # only a method's handler reads
        except Exception:  # noqa: BLE001 - each parser has its own
            self._fail(Status.INTERNAL, "this is no message of the service")
            return None

    async def write(self, message: bytes) -> None:
        """Send a message; wait if too much is unsent.

        Raises:
            TimeoutError: the client does not read.
        """
        if self.over:
            return
        self._send(message)
        if self._unsent > HIGH:
            self._drained = self._loop.create_future()
            async with asyncio.timeout(STALLED):
                await self._drained

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call back when all was handed to the library, or the client has gone."""
        if self._gone:
            callback(self)
        else:
            self._callbacks.append(callback)

    # Called by the connection.

    @property
    def busy(self) -> bool:
        """Whether it has something to do or to send."""
        return not self._gone

    @property
    def stale(self) -> bool:
        """Whether it waits only for its client: to read the answer, or to send a first message."""
        return not self._gone and (self.over or not self._has_read)

    def begin(self, method: Method) -> None:
        """Run the handler of a method."""
        self._method, self._pending = method, 2
        self._state.running += 1
        self._task = self._loop.create_task(self._run(method))
        self._task.add_done_callback(self._part_done)

    def receive(self, data: bytes) -> None:
        """Take data: a part of a message, or several messages."""
        if self.over:
            return  # the client may not have read the answer yet
        self._buffer += data
        if not self._count(len(data)):
            self._fail(Status.RESOURCE_EXHAUSTED, "too much is being received")
        elif self._size:
            self._owed += len(data)
        else:
            self._scan()
            if self._size:
                self._owed += len(data)
                self._wake()
            else:
                self._session.credit(self._number, len(data))

    def end(self) -> None:
        """The client sends nothing more."""
        self._ended = True
        self._scan()
        self._wake()

    def fill(self, buffer: Any, size: int, flags: Any) -> int:  # noqa: ANN401 - the library's memory
        """Write at most ``size`` unsent bytes into the buffer; the library sends them as DATA."""
        out, size = self._out, min(size, self._unsent)
        if not size and self._last is None:
            self._idle = True
            return DEFERRED
        filled = 0
        while filled < size:
            part, offset = out[0], self._offset
            length = min(len(part) - offset, size - filled)
            ffi.memmove(buffer + filled, memoryview(part)[offset:] if offset else part, length)
            filled += length
            if offset + length == len(part):
                out.popleft()
                self._offset = 0
            else:
                self._offset += length
        self._unsent -= size
        self._count(-size)
        if not self._unsent:
            if self._drained and not self._drained.done():
                self._drained.set_result(None)
            if self._last is not None:
                flags[0] = EOF | NO_END_STREAM
                self._session.submit_trailers(self._number, self._last)
                self._answered(self._number)
                self._sent()
        return size

    def reject(self, status: Status, reason: str) -> None:
        """End a call that no handler answers."""
        self._finish((status, reason))

    def reject_content_type(self) -> None:
        """End a stream that is not gRPC."""
        self.over = True
        self._answer(NO_GRPC)

    def close(self) -> None:
        """The stream is over: its client has gone, or has received everything."""
        self.over = True
        self._size = 0
        if self._held:
            self._count(-self._held)
            self._buffer.clear()
            self._out.clear()
        if self._task and not self._task.done():
            self._task.cancel()
        self._sent()

    # Internal.

    async def _run(self, method: Method) -> None:
        outcome: Outcome = (Status.UNAVAILABLE, "the runtime is stopping")
        try:
            outcome = await method.handle(self)
        except Exception as error:  # noqa: BLE001 - whatever it is, the stream must not end in OK
            outcome = (Status.INTERNAL, f"internal error ({type(error).__name__})")
        finally:
            self._finish(outcome)

    def _scan(self) -> None:
        """Look for a complete message at the start of the buffer; fail if it is invalid or cannot become complete."""
        buffer = self._buffer
        self._size = 0
        if self.over:
            return
        if len(buffer) >= _PREFIX:
            size = int.from_bytes(buffer[1:_PREFIX], "big")
            if buffer[0]:
                self._fail(Status.UNIMPLEMENTED, "messages must not be compressed")
                return
            if size > self._state.max_message:
                self._fail(Status.RESOURCE_EXHAUSTED, "the message is too large")
                return
            if len(buffer) >= size + _PREFIX:
                self._size = size + _PREFIX
                return
        if self._ended and buffer:
            self._fail(Status.INTERNAL, "the stream ended within a message")

    def _count(self, size: int) -> bool:
        """Count buffered bytes. Returns False if there are too many."""
        self._held += size
        return self._state.buffer(size)

    def _sent(self) -> None:
        if not self._gone:
            self._gone = True
            for callback in self._callbacks:
                callback(self)
            self._part_done()

    def _part_done(self, *_: object) -> None:
        self._pending -= 1
        if not self._pending:
            self._state.running -= 1

    def _wake(self) -> None:
        if self._waiter and not self._waiter.done():
            self._waiter.set_result(None)
            self._ready()

    def _fail(self, status: Status, reason: str) -> None:
        """End with an error and cancel the handler, which waits for a message that will not come."""
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
        self._size = 0
        if self._buffer:
            self._count(-len(self._buffer))
            self._buffer = bytearray()

    def _answer(self, fields: Fields) -> None:
        """Send an answer without messages."""
        self._session.submit_headers(self._number, fields, last=True)
        self._answered(self._number)
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
            self._session.submit_headers(self._number, HEAD, last=False)

    def _resume(self) -> None:
        if self._idle:
            self._idle = False
            self._session.resume(self._number)
