"""Which transport serves."""

from __future__ import annotations

from typing import Protocol

from runtime.serve.address import Address
from runtime.serve.tls import Tls
from runtime.serve.transport.stream import GRPC, Methods, Server


class Listen(Protocol):
    """How a transport begins to serve; see `front.listen`."""

    async def __call__(
        self, address: Address, tls: Tls | None, methods: Methods, *, max_message: int, streams: int
    ) -> Server:
        """Serve methods."""


def chosen(name: str | None) -> Listen:
    """A transport by name; without one nghttp2 where its library is installed, else grpc. Loads no other.

    Raises:
        UserError: what was asked for by name is not installed.
    """
    if name != GRPC:
        from runtime.serve.transport.front import listen as by_nghttp2  # noqa: PLC0415 - as said
        from runtime.serve.transport.nghttp2 import installed, library  # noqa: PLC0415 - likewise

        if name or installed():
            library()
            return by_nghttp2
    from runtime.serve.transport.aio import listen as by_grpc  # noqa: PLC0415 - likewise

    return by_grpc
