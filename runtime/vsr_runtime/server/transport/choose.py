"""Which transport serves."""

from __future__ import annotations

from typing import Protocol

from vsr_runtime.errors import UserError
from vsr_runtime.server.address import Address
from vsr_runtime.server.tls import Tls
from vsr_runtime.server.transport.stream import GRPC, Methods, Server


class Listen(Protocol):
    """How a transport begins to serve; see `front.listen`."""

    async def __call__(
        self, address: Address, tls: Tls | None, methods: Methods, *, max_message: int, streams: int
    ) -> Server:
        """Serve methods."""


def chosen(name: str | None) -> Listen:
    """A transport by name; without one nghttp2 where it can serve, else grpc. Loads no other.

    Raises:
        UserError: what was asked for by name cannot serve here.
    """
    if name != GRPC:
        try:
            return _by_nghttp2()
        except UserError:
            if name:
                raise
    from vsr_runtime.server.transport.aio import listen  # noqa: PLC0415 - as said

    return listen


def _by_nghttp2() -> Listen:
    from vsr_runtime.server.transport.callbacks import callbacks  # noqa: PLC0415 - likewise
    from vsr_runtime.server.transport.front import listen  # noqa: PLC0415 - likewise

    try:
        callbacks()
    except (MemoryError, SystemError):  # known by then rather than with the first connection
        raise UserError(
            "this system forbids memory that is written and executed, by which nghttp2 calls back; "
            "allow it (systemd: MemoryDenyWriteExecute=no), or give --transport grpc"
        ) from None
    return listen
