"""One connection of HTTP/2: bytes between the event loop and the library, and the library's calls to its streams."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import TYPE_CHECKING, Any, cast

from vsr_runtime.server.transport.call import STALLED, Call, Fields
from vsr_runtime.server.transport.callbacks import callbacks, options, source
from vsr_runtime.server.transport.inbox import Inbox
from vsr_runtime.server.transport.nghttp2 import (
    CANCEL,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    NO_ERROR,
    ffi,
    library,
)
from vsr_runtime.server.transport.stream import AGE, MAX_STREAMS, Status

if TYPE_CHECKING:
    from vsr_runtime.server.transport.front import Front

STREAM_WINDOW, CONNECTION_WINDOW = 1 << 20, 16 << 20
"""Bytes that may be under way on a stream and on a connection."""
MAX_CONNECTIONS = 8192
"""Connections at a time; one more is closed."""
_NOTICE = 1.0
"""Seconds between the notice that no stream should begin any more and the word which was the last that is served."""
_LINGER = 1.0
"""Seconds that a connection without streams is left to its client to close: whoever closes first can lose the last
answer, if the other one is just sending."""
_CHUNK = 64 << 10
_ANSWERED = 64
"""Streams that were answered and are left to their client to end; those before them are ended for it."""


class Connection(asyncio.Protocol):
    """The protocol of a connection.

    Args:
        front: whose connection it is.
    """

    def __init__(self, front: Front) -> None:
        self.loop = asyncio.get_running_loop()
        self.max_message = front.max_message
        self._front = front
        self._library = library()
        self._calls: dict[int, Call] = {}
        self._path = self._kind = b""
        self._answered: deque[int] = deque()
        self._stale: set[int] = set()
        self._keep = min(_ANSWERED, front.streams // 2)
        self._scheduled = self._leaving = self._lingers = False
        self._timer: asyncio.TimerHandle | None = None
        self._session: Any = None
        self._transport: asyncio.Transport
        self._inbox: Inbox

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a session."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own are of no such class
        self._inbox = Inbox(self._transport, self._take, self.wake)
        if self._front.connections >= MAX_CONNECTIONS:
            self._transport.abort()
            return
        self._front.open_connections.add(self)
        self._handle = ffi.new_handle(self)
        self._pointer = ffi.new("const uint8_t **")
        found = ffi.new("nghttp2_session **")
        if self._library.nghttp2_session_server_new2(found, callbacks(), self._handle, options()):
            raise MemoryError
        self._session = found[0]
        settings = [(MAX_CONCURRENT_STREAMS, self._front.streams), (INITIAL_WINDOW_SIZE, STREAM_WINDOW)]
        entries = ffi.new("nghttp2_settings_entry[]", settings)
        self._library.nghttp2_submit_settings(self._session, 0, entries, len(settings))
        self._library.nghttp2_session_set_local_window_size(self._session, 0, 0, CONNECTION_WINDOW)
        self._timer = self.loop.call_later(AGE * random.uniform(0.9, 1.1), self.retire)  # noqa: S311 - spreads them
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take what came."""
        self._inbox.put(data)

    def pause_writing(self) -> None:
        """The client is slow to read: until it has, nothing that it asks is heard, as the answers would pile up."""
        self._inbox.pause()

    def resume_writing(self) -> None:
        """It has read."""
        self._inbox.resume()
        self.wake()

    def connection_lost(self, _: Exception | None) -> None:
        """End what it carried."""
        self._front.open_connections.discard(self)
        self._end()

    # What the server calls.

    def retire(self) -> None:
        """Ask the client to make place: it begins nothing more here, and what it has begun is served."""
        if self._leaving or self._session is None:
            return
        self._leaving = True
        self._library.nghttp2_submit_shutdown_notice(self._session)
        self.wake()
        if self._timer:
            self._timer.cancel()
        self._timer = self.loop.call_later(_NOTICE, self._leave)

    def quit(self) -> None:
        """End it at once; what was answered is still sent."""
        if self.busy:
            self._transport.abort()
        else:
            self._transport.close()

    @property
    def busy(self) -> bool:
        """Whether a stream has something to do or to send."""
        return any(each.busy for each in self._calls.values())

    # What calls call.

    def wake(self) -> None:
        """Send what there is to send once everything that is ready has run."""
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._flush)

    def stir(self) -> None:
        """Something was caused that others should not wait for."""
        self._inbox.stirred = True

    def begun(self) -> None:
        """A stream takes its place."""
        self._front.running += 1

    def ended(self) -> None:
        """Its handler has ended, and nothing waits to be sent."""
        self._front.running -= 1

    def answered(self, number: int) -> None:
        """The end of a stream was handed to the library."""
        self._answered.append(number)

    def buffer(self, size: int) -> bool:
        """Count bytes that wait for their reader or to be sent, and say whether there is place for them."""
        self._front.buffered += size
        return self._front.buffered <= self._front.max_buffered

    def credit(self, number: int, size: int) -> None:
        """Let the client send as much again."""
        if self._session is not None:
            self._library.nghttp2_session_consume_stream(self._session, number, size)

    def resume(self, number: int) -> None:
        """A stream has something to send again."""
        if self._session is not None:
            self._library.nghttp2_session_resume_data(self._session, number)
            self.wake()

    def submit_headers(self, number: int, fields: Fields, *, last: bool) -> None:
        """Begin an answer; `Call.fill` gives its data unless these are the last."""
        if self._session is not None:
            data = ffi.NULL if last else source()
            _done(self._library.nghttp2_submit_response(self._session, number, fields.array, fields.size, data))
            self.wake()

    def submit_trailers(self, number: int, fields: Fields) -> None:
        """End an answer."""
        _done(self._library.nghttp2_submit_trailer(self._session, number, fields.array, fields.size))

    # What the library calls.

    def header(self, name: bytes, value: bytes) -> None:
        """Keep what tells what is asked."""
        if name == b":path":  # stands before all that is no pseudo header
            self._path, self._kind = value, b""
        elif name == b"content-type":
            self._kind = value

    def headers(self, number: int, *, last: bool) -> None:
        """A stream begins, or has trailers."""
        path, kind = self._path, self._kind
        self._path = self._kind = b""
        call = self._calls.get(number)
        if call is None:
            self._inbox.stirred = True
            call = self._calls[number] = Call(self, number)
            method = self._front.methods.get(path)
            if not kind.startswith(b"application/grpc"):
                call.refuse_kind()
            elif method is None:
                call.refuse(Status.UNIMPLEMENTED, "no such method")
            elif self._front.running >= MAX_STREAMS:
                call.refuse(Status.RESOURCE_EXHAUSTED, "too many streams")
            elif self._front.stopping:
                call.refuse(Status.UNAVAILABLE, "the runtime is stopping")
            else:
                call.begin(method)
        if last:
            call.end()

    def chunk(self, number: int, data: bytes) -> None:
        """A piece of a stream's data."""
        self._library.nghttp2_session_consume_connection(self._session, len(data))
        if call := self._calls.get(number):
            call.receive(data)

    def end(self, number: int) -> None:
        """A stream has no more data."""
        if call := self._calls.get(number):
            call.end()

    def close(self, number: int) -> None:
        """A stream is over."""
        if call := self._calls.pop(number, None):
            call.close()

    def fill(self, number: int, buffer: Any, size: int, flags: Any) -> int:  # noqa: ANN401 - the library's memory
        """Data for a stream."""
        return self._calls[number].fill(buffer, size, flags)

    # What is inside.

    def _take(self, data: bytes) -> None:
        if self._session is None:
            return  # TLS gives what it has even after it was told to close
        if self._library.nghttp2_session_mem_recv(self._session, data, len(data)) < 0:
            self._give_up()

    def _flush(self) -> None:
        self._scheduled = False
        session, send, pointer = self._session, self._library.nghttp2_session_mem_send, self._pointer
        if session is None or self._transport.is_closing():
            return
        size, parts, length = 1, [], 0
        while not self._inbox.paused and (size := send(session, pointer)) > 0:
            parts.append(ffi.buffer(pointer[0], size)[:])
            length += size
            if length >= _CHUNK:
                self._transport.write(b"".join(parts))
                parts, length = [], 0
        if parts:
            self._transport.write(b"".join(parts))
        if size < 0:
            self._give_up()
            return
        if size == 0 and len(self._answered) > (keep := 0 if self._leaving else self._keep):
            self._release(keep)
        if not (self._library.nghttp2_session_want_read(session) or self._library.nghttp2_session_want_write(session)):
            self._over()

    def _leave(self) -> None:
        """Say which stream was the last that is served; a client that has not closed by then has only these."""
        last = self._library.nghttp2_session_get_last_proc_stream_id(self._session)
        self._library.nghttp2_submit_goaway(self._session, 0, last, NO_ERROR, ffi.NULL, 0)
        self._timer = self.loop.call_later(STALLED, self._sweep)
        self._flush()  # before another stream begins that this has not counted

    def _sweep(self) -> None:
        """End streams that have waited for their client all the time since the last look."""
        stale = {number for number, each in self._calls.items() if each.stale}
        for number in stale & self._stale:
            self._library.nghttp2_submit_rst_stream(self._session, 0, number, CANCEL)
        self._stale = stale
        self._timer = self.loop.call_later(STALLED, self._sweep)
        self.wake()

    def _release(self, keep: int) -> None:
        """End answered streams for a client that has not. Not before all is sent: the library drops what was not."""
        while len(self._answered) > keep:
            if (number := self._answered.popleft()) in self._calls:
                self._library.nghttp2_submit_rst_stream(self._session, 0, number, NO_ERROR)
                self.wake()

    def _over(self) -> None:
        """The session has nothing more to say; a client that was asked to go has a moment to close by itself."""
        if not self._leaving:
            self._transport.close()
        elif not self._lingers:
            self._lingers = True
            if self._timer:
                self._timer.cancel()
            self._timer = self.loop.call_later(_LINGER, self._transport.close)

    def _give_up(self) -> None:
        """No HTTP/2, or a fault of ours: of the session nothing may be used any more."""
        self._end()
        self._transport.close()

    def _end(self) -> None:
        session, self._session = self._session, None
        if session is None:
            return
        if self._timer:
            self._timer.cancel()
        calls, self._calls = self._calls, {}
        self._inbox.clear()
        self._library.nghttp2_session_del(session)
        self._handle = None
        for each in calls.values():
            each.close()


def _done(code: int) -> None:
    """What the library could not take would leave a stream without its end; the session ends instead."""
    if code:
        raise MemoryError
