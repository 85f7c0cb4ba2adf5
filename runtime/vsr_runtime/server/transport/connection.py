"""One HTTP/2 connection: moves bytes between the event loop and the session, and callbacks to its calls."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from typing import Any, cast

from vsr_runtime.server.transport.call import STALLED, Call
from vsr_runtime.server.transport.inbox import Inbox
from vsr_runtime.server.transport.session import Session, SessionError
from vsr_runtime.server.transport.state import ServerState
from vsr_runtime.server.transport.stream import AGE, MAX_STREAMS, Status

MAX_CONNECTIONS = 8192
"""Connections at a time; one more is closed."""
_NOTICE = 1.0
"""Seconds from the first GOAWAY, which asks for no new streams, to the second, which names the last one served."""
_LINGER = 1.0
"""Seconds for the client to close a connection without streams. If the server closes first while the client is
sending, the last answer can be lost."""
_CHUNK = 64 << 10
_ANSWERED = 64
"""Answered streams that are left for the client to end; older ones are reset."""


class Connection(asyncio.Protocol):
    """The protocol of a connection.

    Args:
        state: shared by all connections of the server.
    """

    def __init__(self, state: ServerState) -> None:
        self._loop = asyncio.get_running_loop()
        self._state = state
        self._calls: dict[int, Call] = {}
        self._path = self._content_type = b""
        self._answered: deque[int] = deque()
        self._stale: set[int] = set()
        self._keep = min(_ANSWERED, state.streams // 2)
        self._scheduled = self._retiring = self._lingers = False
        self._timer: asyncio.TimerHandle | None = None
        self._session: Session | None = None
        self._transport: asyncio.Transport
        self._inbox: Inbox

    # Called by the event loop.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin a session."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's transports do not inherit from it
        self._inbox = Inbox(self._transport, self._take, self.wake)
        if len(self._state.connections) >= MAX_CONNECTIONS:
            self._transport.abort()
            return
        self._state.connections.add(self)
        self._session = Session(self, self._state.streams, self.wake)
        self._timer = self._loop.call_later(AGE * random.uniform(0.9, 1.1), self.retire)  # noqa: S311 - spreads them
        self._flush()

    def data_received(self, data: bytes) -> None:
        """Take what was received."""
        self._inbox.put(data)

    def pause_writing(self) -> None:
        """The client reads slowly: receive nothing until it has caught up, or answers would pile up."""
        self._inbox.pause()

    def resume_writing(self) -> None:
        """The client has caught up."""
        self._inbox.resume()
        self.wake()

    def connection_lost(self, _: Exception | None) -> None:
        """End all calls."""
        self._state.connections.discard(self)
        self._end()

    # Called by the server.

    def retire(self) -> None:
        """Send GOAWAY: the client opens no new streams here, and those that are open are served."""
        if self._retiring or self._session is None:
            return
        self._retiring = True
        self._session.announce_goaway()
        self.wake()
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_later(_NOTICE, self._goaway)

    def quit(self) -> None:
        """Close at once; complete answers are still sent."""
        if self.busy:
            self._transport.abort()
        else:
            self._transport.close()

    @property
    def busy(self) -> bool:
        """Whether a call has something to do or to send."""
        return any(call.busy for call in self._calls.values())

    def wake(self) -> None:
        """Send what is ready, once everything else that is ready has run."""
        if not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush)

    # Called by the session; see `session.Handler`.

    def header(self, name: bytes, value: bytes) -> None:
        """Keep the path and the content type."""
        if name == b":path":  # pseudo-headers come first
            self._path, self._content_type = value, b""
        elif name == b"content-type":
            self._content_type = value

    def headers(self, number: int, *, last: bool) -> None:
        """Begin a call, unless these are trailers."""
        path, content_type = self._path, self._content_type
        self._path = self._content_type = b""
        call = self._calls.get(number)
        if call is None:
            call = self._begin(number, path, content_type)
        if last:
            call.end()

    def chunk(self, number: int, data: bytes) -> None:
        """Give data to a call."""
        if self._session is not None:
            self._session.consume(len(data))
        if call := self._calls.get(number):
            call.receive(data)

    def end(self, number: int) -> None:
        """End the input of a call."""
        if call := self._calls.get(number):
            call.end()

    def close(self, number: int) -> None:
        """Forget a call."""
        if call := self._calls.pop(number, None):
            call.close()

    def fill(self, number: int, buffer: Any, size: int, flags: Any) -> int:  # noqa: ANN401 - the library's memory
        """Take data of a call."""
        return self._calls[number].fill(buffer, size, flags)

    # Internal.

    def _begin(self, number: int, path: bytes, content_type: bytes) -> Call:
        if self._session is None:
            raise SessionError
        self._ready()
        state = self._state
        call = Call(self._session, state, number, answered=self._answered.append, ready=self._ready)
        self._calls[number] = call
        method = state.methods.get(path)
        if not content_type.startswith(b"application/grpc"):
            call.reject_content_type()
        elif method is None:
            call.reject(Status.UNIMPLEMENTED, "no such method")
        elif state.running >= MAX_STREAMS:
            call.reject(Status.RESOURCE_EXHAUSTED, "too many streams")
        elif state.stopping:
            call.reject(Status.UNAVAILABLE, "the runtime is stopping")
        else:
            call.begin(method)
        return call

    def _ready(self) -> None:
        """Let handlers run before more is received."""
        self._inbox.handlers_ready = True

    def _take(self, data: bytes) -> None:
        # TLS can deliver data after the connection was closed.
        if self._session is not None and not self._session.receive(data):
            self._give_up()

    def _flush(self) -> None:
        self._scheduled = False
        session = self._session
        if session is None or self._transport.is_closing():
            return
        parts, length, complete = [], 0, not self._inbox.paused
        try:
            for data in session.to_send() if complete else ():
                parts.append(data)
                length += len(data)
                if length >= _CHUNK:
                    self._transport.write(b"".join(parts))
                    parts, length = [], 0
                    if self._inbox.paused:  # by that write
                        complete = False
                        break
        except SessionError:
            if parts:
                self._transport.write(b"".join(parts))
            self._give_up()
            return
        if parts:
            self._transport.write(b"".join(parts))
        if complete and len(self._answered) > (keep := 0 if self._retiring else self._keep):
            self._release(keep)
        if session.finished:
            self._over()

    def _goaway(self) -> None:
        """Name the last stream that is served, and cancel those whose client does nothing from then on."""
        if self._session is None:
            return
        self._session.goaway()
        self._timer = self._loop.call_later(STALLED, self._sweep)
        self._flush()  # before a stream begins that this has not counted

    def _sweep(self) -> None:
        """Cancel calls that have waited for their client since the last sweep."""
        if self._session is None:
            return
        stale = {number for number, call in self._calls.items() if call.stale}
        for number in stale & self._stale:
            self._session.cancel(number)
        self._stale = stale
        self._timer = self._loop.call_later(STALLED, self._sweep)
        self.wake()

    def _release(self, keep: int) -> None:
        """Reset answered streams that the client has not ended. Only after all was sent: a reset drops the rest."""
        while self._session is not None and len(self._answered) > keep:
            if (number := self._answered.popleft()) in self._calls:
                self._session.finish(number)
                self.wake()

    def _over(self) -> None:
        """The session is finished. A client that got GOAWAY has a moment to close by itself."""
        if not self._retiring:
            self._transport.close()
        elif not self._lingers:
            self._lingers = True
            if self._timer:
                self._timer.cancel()
            self._timer = self._loop.call_later(_LINGER, self._transport.close)

    def _give_up(self) -> None:
        """Close after invalid HTTP/2 or a fault of ours: the session must not be used any more."""
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
        session.close()
        for call in calls.values():
            call.close()
