"""What the library calls: each finds the connection that its session belongs to, and tells it.

A callback that fails ends the session, and with it all its streams in an error.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from vsr_runtime.log import log
from vsr_runtime.server.transport.nghttp2 import DATA, END_STREAM, FAILED, HEADERS, ffi, library

_RESETS = 1 << 30
"""Envoy resets each stream that is answered before it has ended its side, so their number says nothing."""
_LENGTHS = frozenset({len(b":path"), len(b"content-type")})


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
    found: int = ffi.from_handle(user).fill(number, buffer, size, flags)
    return found


def _fault(kind: type[BaseException], _: Any, __: Any) -> None:  # noqa: ANN401 - as cffi calls it
    log("transport_fault", reason=kind.__name__)


def _made(kind: str, function: Any) -> Any:  # noqa: ANN401 - whatever the kind takes
    return ffi.callback(kind, function, error=FAILED, onerror=_fault)


@cache
def callbacks() -> Any:  # noqa: ANN401 - the library's
    """The callbacks of all sessions."""
    found = ffi.new("nghttp2_session_callbacks **")
    library().nghttp2_session_callbacks_new(found)
    for name, kind, function in (
        ("frame_recv", "frame_callback", _on_frame),
        ("header", "header_callback", _on_header),
        ("data_chunk_recv", "chunk_callback", _on_chunk),
        ("stream_close", "close_callback", _on_close),
    ):
        made = _made(kind, function)
        _KEPT.append(made)
        getattr(library(), f"nghttp2_session_callbacks_set_on_{name}_callback")(found[0], made)
    return found[0]


@cache
def source() -> Any:  # noqa: ANN401 - likewise
    """Where the library gets the data of all answers."""
    made = _made("read_callback", _on_read)
    _KEPT.append(made)
    return ffi.new("nghttp2_data_provider *", {"read": made})


@cache
def options() -> Any:  # noqa: ANN401 - likewise
    """The options of all sessions: windows are opened by `Connection`, and streams forgotten when they are over.

    What the library would refuse by the rules of HTTP is looked at by nobody here, but for one thing that it must not
    refuse: Envoy's ``:authority`` is the name of a cluster, such as ``outbound|50051||router.example``.
    """
    found = ffi.new("nghttp2_option **")
    library().nghttp2_option_new(found)
    library().nghttp2_option_set_no_auto_window_update(found[0], 1)
    library().nghttp2_option_set_no_http_messaging(found[0], 1)
    library().nghttp2_option_set_no_closed_streams(found[0], 1)
    library().nghttp2_option_set_stream_reset_rate_limit(found[0], _RESETS, _RESETS)
    return found[0]


_KEPT: list[Any] = []
"""What the library points to must not be collected."""
