"""One HTTP/2 session of nghttp2: the C calls, and the callbacks that the library makes to a connection.

A callback that fails ends the session, and with it all its streams in an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Protocol

from vsr_runtime.log import log
from vsr_runtime.server.transport.nghttp2 import (
    CANCEL,
    DATA,
    END_STREAM,
    FAILED,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    MAX_CONCURRENT_STREAMS,
    NO_ERROR,
    ffi,
    library,
)

STREAM_WINDOW, CONNECTION_WINDOW = 1 << 20, 16 << 20
"""Flow-control windows of a stream and of a connection, in bytes."""
_RESETS = 1 << 30
"""Rate limit for resets. Envoy resets each stream that is answered early, so resets are no sign of an attack."""
_LENGTHS = frozenset({len(b":path"), len(b"content-type")})
"""Lengths of the header names that are read."""


class Handler(Protocol):
    """What the library calls back. Streams are identified by their number."""

    def header(self, name: bytes, value: bytes) -> None:
        """A header field of the stream that is announced next."""

    def headers(self, number: int, *, last: bool) -> None:
        """A stream begins, or has trailers; ``last`` if the client sends nothing more."""

    def chunk(self, number: int, data: bytes) -> None:
        """Data of a stream."""

    def end(self, number: int) -> None:
        """A stream has no more data."""

    def close(self, number: int) -> None:
        """A stream is over."""

    def fill(self, number: int, buffer: Any, size: int, flags: Any) -> int:  # noqa: ANN401 - the library's memory
        """Write data of a stream into the library's buffer."""


class Fields:
    """Header fields as the library takes them. The library copies them when they are submitted."""

    def __init__(self, *fields: tuple[bytes, bytes]) -> None:
        self._memory = [ffi.new("uint8_t[]", text) for field in fields for text in field]
        self.size = len(fields)
        self.array = ffi.new("nghttp2_nv[]", self.size)
        for index, (name, value) in enumerate(fields):
            field = self.array[index]
            field.name, field.value = self._memory[2 * index], self._memory[2 * index + 1]
            field.namelen, field.valuelen = len(name), len(value)


class Session:
    """One session of the library. After `close`, every call does nothing.

    Args:
        handler: receives the callbacks.
        streams: concurrent streams.
        wake: schedules sending.
    """

    def __init__(self, handler: Handler, streams: int, wake: Callable[[], None]) -> None:
        self._library = library()
        self._wake = wake
        self._handle = ffi.new_handle(handler)
        self._pointer = ffi.new("const uint8_t **")
        out = ffi.new("nghttp2_session **")
        if self._library.nghttp2_session_server_new2(out, callbacks(), self._handle, _options()):
            raise MemoryError
        self._session = out[0]
        settings = [(MAX_CONCURRENT_STREAMS, streams), (INITIAL_WINDOW_SIZE, STREAM_WINDOW)]
        entries = ffi.new("nghttp2_settings_entry[]", settings)
        self._library.nghttp2_submit_settings(self._session, 0, entries, len(settings))
        self._library.nghttp2_session_set_local_window_size(self._session, 0, 0, CONNECTION_WINDOW)

    @property
    def closed(self) -> bool:
        """Whether it can no longer be used."""
        return self._session is None

    @property
    def finished(self) -> bool:
        """Whether the session neither expects nor has anything to send."""
        wants_read = self._library.nghttp2_session_want_read(self._session)
        return not (wants_read or self._library.nghttp2_session_want_write(self._session))

    def receive(self, data: bytes) -> bool:
        """Process received bytes. Returns False if they are not HTTP/2, or a callback failed."""
        return self._session is None or self._library.nghttp2_session_mem_recv(self._session, data, len(data)) >= 0

    def to_send(self) -> Iterator[bytes]:
        """Yield the bytes that are ready to be sent.

        Raises:
            SessionError: the session failed.
        """
        session, send, pointer = self._session, self._library.nghttp2_session_mem_send, self._pointer
        while (size := send(session, pointer)) > 0:
            yield ffi.buffer(pointer[0], size)[:]
        if size < 0:
            raise SessionError

    def consume(self, size: int) -> None:
        """Give the client back the credit of its connection window."""
        self._library.nghttp2_session_consume_connection(self._session, size)

    def credit(self, number: int, size: int) -> None:
        """Give the client back credit of a stream's window."""
        if self._session is not None:
            self._library.nghttp2_session_consume_stream(self._session, number, size)

    def resume(self, number: int) -> None:
        """Send again on a stream that had nothing to send."""
        if self._session is not None:
            self._library.nghttp2_session_resume_data(self._session, number)
            self._wake()

    def submit_headers(self, number: int, fields: Fields, *, last: bool) -> None:
        """Begin an answer; `Handler.fill` gives its data unless ``last``."""
        if self._session is not None:
            data = ffi.NULL if last else _data_provider()
            _check(self._library.nghttp2_submit_response(self._session, number, fields.array, fields.size, data))
            self._wake()

    def submit_trailers(self, number: int, fields: Fields) -> None:
        """End an answer."""
        _check(self._library.nghttp2_submit_trailer(self._session, number, fields.array, fields.size))

    def finish(self, number: int) -> None:
        """End a stream that was answered."""
        self._library.nghttp2_submit_rst_stream(self._session, 0, number, NO_ERROR)

    def cancel(self, number: int) -> None:
        """End a stream whose client does nothing."""
        self._library.nghttp2_submit_rst_stream(self._session, 0, number, CANCEL)

    def announce_goaway(self) -> None:
        """Tell the client to open no new streams; those already under way are still accepted."""
        self._library.nghttp2_submit_shutdown_notice(self._session)

    def goaway(self) -> None:
        """Name the last stream that is served."""
        last = self._library.nghttp2_session_get_last_proc_stream_id(self._session)
        self._library.nghttp2_submit_goaway(self._session, 0, last, NO_ERROR, ffi.NULL, 0)

    def close(self) -> None:
        """Free the session."""
        session, self._session = self._session, None
        self._library.nghttp2_session_del(session)
        self._handle = None


class SessionError(Exception):
    """The session failed and must not be used any more."""


def _check(code: int) -> None:
    """Fail if the library rejected a call: the stream would never end, so the session has to."""
    if code:
        raise MemoryError


def _on_frame(_: Any, frame: Any, user: Any) -> int:  # noqa: ANN401 - as the library calls it
    last = frame.flags & END_STREAM
    if frame.type == HEADERS:
        ffi.from_handle(user).headers(frame.stream_id, last=bool(last))
    elif last and frame.type == DATA:
        ffi.from_handle(user).end(frame.stream_id)
    return 0


def _on_header(_: Any, __: Any, name: Any, size: int, value: Any, length: int, ___: int, user: Any) -> int:  # noqa: ANN401 - likewise
    if size in _LENGTHS:
        ffi.from_handle(user).header(ffi.buffer(name, size)[:], ffi.buffer(value, length)[:])
    return 0


def _on_chunk(_: Any, __: int, number: int, data: Any, size: int, user: Any) -> int:  # noqa: ANN401 - likewise
    ffi.from_handle(user).chunk(number, ffi.buffer(data, size)[:])
    return 0


def _on_close(_: Any, number: int, __: int, user: Any) -> int:  # noqa: ANN401 - likewise
    ffi.from_handle(user).close(number)
    return 0


def _on_read(_: Any, number: int, buffer: Any, size: int, flags: Any, __: Any, user: Any) -> int:  # noqa: ANN401 - likewise
    filled: int = ffi.from_handle(user).fill(number, buffer, size, flags)
    return filled


def _log_fault(kind: type[BaseException], _: Any, __: Any) -> None:  # noqa: ANN401 - as cffi calls it
    log("transport_fault", reason=kind.__name__)


def _callback(kind: str, function: Any) -> Any:  # noqa: ANN401 - whatever the kind takes
    callback = ffi.callback(kind, function, error=FAILED, onerror=_log_fault)
    _REFERENCED.append(callback)
    return callback


@cache
def callbacks() -> Any:  # noqa: ANN401 - the library's
    """The callbacks of all sessions.

    Raises:
        MemoryError, SystemError: the system forbids memory that is both written and executed.
    """
    out = ffi.new("nghttp2_session_callbacks **")
    library().nghttp2_session_callbacks_new(out)
    for name, kind, function in (
        ("frame_recv", "frame_callback", _on_frame),
        ("header", "header_callback", _on_header),
        ("data_chunk_recv", "chunk_callback", _on_chunk),
        ("stream_close", "close_callback", _on_close),
    ):
        getattr(library(), f"nghttp2_session_callbacks_set_on_{name}_callback")(out[0], _callback(kind, function))
    return out[0]


@cache
def _data_provider() -> Any:  # noqa: ANN401 - likewise
    """The source of the data of all answers."""
    return ffi.new("nghttp2_data_provider *", {"read": _callback("read_callback", _on_read)})


@cache
def _options() -> Any:  # noqa: ANN401 - likewise
    """The options of all sessions: `Session` opens windows itself, and closed streams are forgotten.

    The library's validation of HTTP semantics is off. Nothing here depends on it, and it would reject Envoy's
    ``:authority``, which is the name of a cluster such as ``outbound|50051||router.example``.
    """
    out = ffi.new("nghttp2_option **")
    library().nghttp2_option_new(out)
    library().nghttp2_option_set_no_auto_window_update(out[0], 1)
    library().nghttp2_option_set_no_http_messaging(out[0], 1)
    library().nghttp2_option_set_no_closed_streams(out[0], 1)
    library().nghttp2_option_set_stream_reset_rate_limit(out[0], _RESETS, _RESETS)
    return out[0]


_REFERENCED: list[Any] = []
"""Callbacks that the library points to; they must not be garbage-collected."""
