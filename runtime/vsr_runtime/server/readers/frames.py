"""Messages between a server and its reader processes: a pickled object, and bytes that are not copied into it.

Both ends run the same code of the same release, and the socket has no name, so nobody else can write to it. A guard is
sent by its name, because its finders cannot be pickled and its cache belongs to a process.
"""

from __future__ import annotations

import io
import pickle
import socket
import struct
from collections.abc import Mapping
from time import monotonic
from typing import Any

from vsr_runtime.decision.guards.guard import Guard

_HEAD = struct.Struct(">QQ")
_PART = 1 << 20


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: object) -> str | None:
        """Replace a guard by its name."""
        return obj.name if isinstance(obj, Guard) else None


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, guards: Mapping[str, Guard]) -> None:
        super().__init__(file)
        self._guards = guards

    def persistent_load(self, pid: str) -> Guard:
        """Return the guard with this name."""
        return self._guards[pid]


def send(connection: socket.socket, message: object, body: bytes = b"", until: float | None = None) -> None:
    """Send a message.

    Args:
        connection: the socket.
        message: the object.
        body: bytes that belong to it.
        until: the time of the monotonic clock by which it must have been sent; None for no limit.

    Raises:
        OSError: the other end is closed.
        TimeoutError: it could not be sent in time.
    """
    file = io.BytesIO()
    _Pickler(file, protocol=pickle.HIGHEST_PROTOCOL).dump(message)
    data = file.getbuffer()
    for part in (_HEAD.pack(len(data), len(body)), data, body):
        connection.settimeout(_left(until))
        connection.sendall(part)


def receive(
    connection: socket.socket, guards: Mapping[str, Guard] | None = None, until: float | None = None
) -> tuple[Any, bytes]:
    """Receive a message and its bytes.

    Args:
        connection: the socket.
        guards: guards by name.
        until: the time of the monotonic clock by which it must have come; None for no limit.

    Raises:
        EOFError: the other end is closed.
        TimeoutError: it did not come in time.
    """
    size, extra = _HEAD.unpack(_bytes(connection, _HEAD.size, until))
    data = io.BytesIO(_bytes(connection, size, until))
    return _Unpickler(data, guards or {}).load(), bytes(_bytes(connection, extra, until))


def _bytes(connection: socket.socket, size: int, until: float | None) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        connection.settimeout(_left(until))
        count = connection.recv_into(view, min(len(view), _PART))
        if not count:
            raise EOFError
        view = view[count:]
    return data


def _left(until: float | None) -> float | None:
    if until is None:
        return None
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError
    return left
