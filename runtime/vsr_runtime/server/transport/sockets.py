"""Closes the listener of grpc.aio while its open connections are still served, which gRPC does not offer."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

_OPEN = Path("/proc/self/fd")


def stop_listening(port: int) -> None:
    """Stop listening: the kernel gives new connections to another process on the port, or refuses them."""
    for opened in _sockets(port):
        if opened.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            with suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)


def connections(port: int) -> int:
    """Count the open connections to the port."""
    return sum(_connected(opened) for opened in _sockets(port))


def _connected(opened: socket.socket) -> bool:
    try:
        opened.getpeername()
    except OSError:
        return False
    return True


def _sockets(port: int) -> Iterator[socket.socket]:
    """Yield duplicates of this process's TCP sockets with that local port; each is closed when the next is taken."""
    for entry in list(_OPEN.iterdir()) if _OPEN.exists() else ():
        with suppress(OSError):
            number = int(entry.name)
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with closing(socket.socket(fileno=os.dup(number))) as opened:
                if opened.family in (socket.AF_INET, socket.AF_INET6) and opened.getsockname()[1] == port:
                    yield opened
