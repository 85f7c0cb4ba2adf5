"""Binding of the parts of nghttp2 that are used: the HTTP/2 library of curl, Apache and Envoy.

Declared as in the header of release 1.57; https://nghttp2.org/documentation describes each call. A session calls back
only from within `nghttp2_session_mem_recv` and `nghttp2_session_mem_send`.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from cffi import FFI

from vsr_runtime.errors import UserError

NAMES = ("libnghttp2.so.14", "libnghttp2.14.dylib")
NO_ERROR, CANCEL = 0, 8
"""Error codes of streams and connections."""
DATA, HEADERS = 0, 1
"""Frame types."""
END_STREAM = 1
"""Frame flag."""
MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE = 3, 4
"""Identifiers of settings."""
EOF, NO_END_STREAM = 1, 2
"""Flags of a data source: no more data, and trailers follow."""
DEFERRED = -508
"""Result of a data source that has nothing yet."""
FAILED = -902
"""Result of a callback that failed; it ends the session."""

_HEADER = """
typedef struct nghttp2_session nghttp2_session;
typedef struct nghttp2_session_callbacks nghttp2_session_callbacks;
typedef struct nghttp2_option nghttp2_option;
typedef struct { size_t length; int32_t stream_id; uint8_t type; uint8_t flags; uint8_t reserved; } nghttp2_frame_hd;
typedef struct { uint8_t *name; uint8_t *value; size_t namelen; size_t valuelen; uint8_t flags; } nghttp2_nv;
typedef struct { int32_t settings_id; uint32_t value; } nghttp2_settings_entry;
typedef union { int fd; void *ptr; } nghttp2_data_source;
typedef ssize_t (*read_callback)(
    nghttp2_session *, int32_t, uint8_t *, size_t, uint32_t *, nghttp2_data_source *, void *);
typedef struct { nghttp2_data_source source; read_callback read; } nghttp2_data_provider;
typedef int (*frame_callback)(nghttp2_session *, const nghttp2_frame_hd *, void *);
typedef int (*header_callback)(nghttp2_session *, const nghttp2_frame_hd *, const uint8_t *, size_t,
    const uint8_t *, size_t, uint8_t, void *);
typedef int (*chunk_callback)(nghttp2_session *, uint8_t, int32_t, const uint8_t *, size_t, void *);
typedef int (*close_callback)(nghttp2_session *, int32_t, uint32_t, void *);

int nghttp2_session_callbacks_new(nghttp2_session_callbacks **);
void nghttp2_session_callbacks_set_on_frame_recv_callback(nghttp2_session_callbacks *, frame_callback);
void nghttp2_session_callbacks_set_on_header_callback(nghttp2_session_callbacks *, header_callback);
void nghttp2_session_callbacks_set_on_data_chunk_recv_callback(nghttp2_session_callbacks *, chunk_callback);
void nghttp2_session_callbacks_set_on_stream_close_callback(nghttp2_session_callbacks *, close_callback);
int nghttp2_option_new(nghttp2_option **);
void nghttp2_option_set_no_auto_window_update(nghttp2_option *, int);
void nghttp2_option_set_no_http_messaging(nghttp2_option *, int);
void nghttp2_option_set_no_closed_streams(nghttp2_option *, int);
void nghttp2_option_set_stream_reset_rate_limit(nghttp2_option *, uint64_t, uint64_t);

int nghttp2_session_server_new2(
    nghttp2_session **, const nghttp2_session_callbacks *, void *, const nghttp2_option *);
void nghttp2_session_del(nghttp2_session *);
ssize_t nghttp2_session_mem_recv(nghttp2_session *, const char *, size_t);
ssize_t nghttp2_session_mem_send(nghttp2_session *, const uint8_t **);
int nghttp2_session_want_read(nghttp2_session *);
int nghttp2_session_want_write(nghttp2_session *);
int nghttp2_session_resume_data(nghttp2_session *, int32_t);
int nghttp2_session_consume_connection(nghttp2_session *, size_t);
int nghttp2_session_consume_stream(nghttp2_session *, int32_t, size_t);
int nghttp2_session_set_local_window_size(nghttp2_session *, uint8_t, int32_t, int32_t);
int32_t nghttp2_session_get_last_proc_stream_id(nghttp2_session *);
int nghttp2_submit_settings(nghttp2_session *, uint8_t, const nghttp2_settings_entry *, size_t);
int nghttp2_submit_response(
    nghttp2_session *, int32_t, const nghttp2_nv *, size_t, const nghttp2_data_provider *);
int nghttp2_submit_trailer(nghttp2_session *, int32_t, const nghttp2_nv *, size_t);
int nghttp2_submit_rst_stream(nghttp2_session *, uint8_t, int32_t, uint32_t);
int nghttp2_submit_shutdown_notice(nghttp2_session *);
int nghttp2_submit_goaway(nghttp2_session *, uint8_t, int32_t, uint32_t, const uint8_t *, size_t);
"""
ffi = FFI()
ffi.cdef(_HEADER)


@cache
def library() -> Any:  # noqa: ANN401 - cffi creates its functions at run time
    """Load the library.

    Raises:
        UserError: it is not installed, or its release is too old.
    """
    for name in NAMES:
        try:
            loaded = ffi.dlopen(name)
        except OSError:
            continue
        if hasattr(loaded, "nghttp2_option_set_stream_reset_rate_limit"):  # 1.57, or a patched older one
            return loaded
    raise UserError(
        "nghttp2 1.57 or later is not installed (Debian, Ubuntu: apt-get install libnghttp2-14); "
        "install it, or give --transport grpc"
    )
