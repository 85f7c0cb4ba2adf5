"""Selects the transport."""

from __future__ import annotations

from typing import Protocol

from vsr_runtime.errors import UserError
from vsr_runtime.server.address import Address
from vsr_runtime.server.tls import Tls
from vsr_runtime.server.transport.stream import GRPC, Methods, Server


class Listen(Protocol):
    """Start a transport; see `nghttp2_server.listen`."""

    async def __call__(
        self, address: Address, tls: Tls | None, methods: Methods, *, max_message: int, streams: int
    ) -> Server:
        """Serve methods."""


def choose_transport(name: str | None) -> Listen:
    """Return a transport by name; without a name nghttp2 if it works here, else grpc. Imports no other.

    Raises:
        UserError: the named transport does not work here.
    """
    if name != GRPC:
        try:
            return _nghttp2()
        except UserError:
            if name:
                raise
    from vsr_runtime.server.transport.aio_server import listen  # noqa: PLC0415 - see the docstring

    return listen


def _nghttp2() -> Listen:
    from vsr_runtime.server.transport.nghttp2_server import listen  # noqa: PLC0415 - likewise
    from vsr_runtime.server.transport.session import callbacks  # noqa: PLC0415 - likewise

    try:
        callbacks()
    except (MemoryError, SystemError):  # fail now rather than with the first connection
        raise UserError(
            "this system forbids memory that is both written and executed, which callbacks from nghttp2 need; "
            "allow it (systemd: MemoryDenyWriteExecute=no), or give --transport grpc"
        ) from None
    return listen
