"""What gRPC does not offer: to take no new connection while those that are open are still served."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

_OPEN = Path("/proc/self/fd")


def stop_listening(port: int) -> None:
    """Let the kernel give new connections to whoever else listens on the port, or refuse them."""
    for each in _sockets(port):
        if each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def connections(port: int) -> int:
    """How many connections to the port are open."""
    return sum(_connected(each) for each in _sockets(port))


def _connected(each: socket.socket) -> bool:
    try:
        each.getpeername()
    except OSError:
        return False
    return True


def _sockets(port: int) -> Iterator[socket.socket]:
    """This process's own TCP sockets with that local port, each to look at for a moment."""
    for each in list(_OPEN.iterdir()) if _OPEN.exists() else ():
        with suppress(OSError):
            number = int(each.name)
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with closing(socket.socket(fileno=os.dup(number))) as found:
                if found.family in (socket.AF_INET, socket.AF_INET6) and found.getsockname()[1] == port:
                    yield found
