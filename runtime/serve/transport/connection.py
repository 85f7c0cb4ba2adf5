"""One connection of HTTP/2: bytes between the event loop and the library, and the library's calls to its streams."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any, cast

from runtime.serve.transport.call import Call, Fields
from runtime.serve.transport.callbacks import callbacks, options, source
from runtime.serve.transport.nghttp2 import (
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    NO_ERROR,
    ffi,
    library,
)
from runtime.serve.transport.stream import AGE, MAX_STREAMS, Status

if TYPE_CHECKING:
    from runtime.serve.transport.front import Front

SLICE = 8 << 10
"""Bytes of what was received that are taken before the loop turns to what they caused: answers to the first of many
streams leave while the last are still read, so that the gateway has something to do meanwhile."""
STREAM_WINDOW, CONNECTION_WINDOW = 1 << 20, 16 << 20
"""Bytes that may be under way on a stream and on a connection."""
_NOTICE = 1.0
"""Seconds between the notice that no stream should begin any more and the word which was the last that is served."""
_LINGER = 1.0
"""Seconds that a connection without streams is left to its client to close: whoever closes first can lose the last
answer, if the other one is just sending."""
_INBOX = 1 << 20
_CHUNK = 64 << 10


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
        self._inbox = bytearray()
        self._scheduled = self._stirred = self._paused = self._held = self._leaving = False
        self._timer: asyncio.TimerHandle | None = None
        self._session: Any = None
        self._transport: asyncio.Transport

    # What the loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a session."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own are of no such class
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
        """Take what came, a slice at a time."""
        if not self._inbox and len(data) <= SLICE:
            self._take(data)
            self.wake()
            return
        waiting = bool(self._inbox)
        self._inbox += data
        if not waiting:
            self._go_on()
        elif len(self._inbox) > _INBOX and not self._held:
            self._held = True
            self._transport.pause_reading()

    def pause_writing(self) -> None:
        """The client is slow to read."""
        self._paused = True

    def resume_writing(self) -> None:
        """It has read."""
        self._paused = False
        self.wake()

    def connection_lost(self, _: Exception | None) -> None:
        """End what it carried."""
        self._front.open_connections.discard(self)
        if self._timer:
            self._timer.cancel()
        session, self._session = self._session, None
        calls, self._calls = self._calls, {}
        self._inbox.clear()
        for each in calls.values():
            each.close()
        self._library.nghttp2_session_del(session)
        self._handle = None

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

    def abort(self) -> None:
        """End it at once."""
        self._transport.abort()

    @property
    def busy(self) -> bool:
        """Whether a stream is open."""
        return bool(self._calls)

    # What calls call.

    def wake(self) -> None:
        """Send what there is to send once everything that is ready has run."""
        if not self._scheduled:
            self._scheduled = True
            self.loop.call_soon(self._flush)

    def stir(self) -> None:
        """A handler has something to do."""
        self._stirred = True

    def begun(self) -> None:
        """A handler has begun."""
        self._stirred = True
        self._front.running += 1

    def ended(self, _: object) -> None:
        """A handler has ended, or was never begun since its client had gone by then."""
        self._front.running -= 1

    def buffer(self, size: int) -> bool:
        """Count bytes of messages that are not whole or not read yet, and say whether there is place for them."""
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
            self._library.nghttp2_submit_response(self._session, number, fields.array, fields.size, data)
            self.wake()

    def submit_trailers(self, number: int, fields: Fields) -> None:
        """End an answer."""
        self._library.nghttp2_submit_trailer(self._session, number, fields.array, fields.size)

    # What the library calls.

    def header(self, name: bytes, value: bytes) -> None:
        """Keep what tells what is asked."""
        if name == b":path":
            self._path = value
        elif name == b"content-type":
            self._kind = value

    def headers(self, number: int, *, last: bool) -> None:
        """A stream begins, or has trailers."""
        path, kind = self._path, self._kind
        self._path = self._kind = b""
        call = self._calls.get(number)
        if call is None:
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
        taken = self._library.nghttp2_session_mem_recv(self._session, data, len(data))
        if taken < 0:  # no HTTP/2, or a fault of ours: nothing that follows can be understood
            self._inbox.clear()
            self._flush()
            self._transport.close()

    def _go_on(self) -> None:
        if self._session is None:
            return
        self._stirred, size = False, SLICE
        while self._inbox and not self._stirred:
            data = bytes(memoryview(self._inbox)[:size])
            del self._inbox[:size]
            self._take(data)
            size *= 2  # what wakes nobody is a part of something large
        self.wake()
        if self._inbox:
            self.loop.call_soon(self._go_on)
        elif self._held:
            self._held = False
            self._transport.resume_reading()

    def _flush(self) -> None:
        self._scheduled = False
        session, send, pointer = self._session, self._library.nghttp2_session_mem_send, self._pointer
        if session is None:
            return
        size, parts, length = 1, [], 0
        while not self._paused and (size := send(session, pointer)) > 0:
            parts.append(ffi.buffer(pointer[0], size)[:])
            length += size
            if length >= _CHUNK:
                self._transport.write(b"".join(parts))
                parts, length = [], 0
        if parts:
            self._transport.write(b"".join(parts))
        if size < 0:
            self._transport.close()
        elif not (
            self._library.nghttp2_session_want_read(session) or self._library.nghttp2_session_want_write(session)
        ):
            self._over()

    def _leave(self) -> None:
        """Say which stream was the last that is served; a client that has not closed by then has only these."""
        last = self._library.nghttp2_session_get_last_proc_stream_id(self._session)
        self._library.nghttp2_submit_goaway(self._session, 0, last, NO_ERROR, ffi.NULL, 0)
        self._timer = None
        self.wake()

    def _over(self) -> None:
        """The session has nothing more to say."""
        if not self._leaving:
            self._transport.close()
        elif self._timer is None:
            self._timer = self.loop.call_later(_LINGER, self._transport.close)
