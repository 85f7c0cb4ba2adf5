"""gRPC over nghttp2, on the event loop itself: no thread between a socket and a handler."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress

from vsr_runtime.errors import UserError
from vsr_runtime.server.address import Address
from vsr_runtime.server.tls import Tls
from vsr_runtime.server.transport.connection import Connection
from vsr_runtime.server.transport.nghttp2 import library
from vsr_runtime.server.transport.state import ServerState
from vsr_runtime.server.transport.stream import MAX_STREAMS, NGHTTP2, Methods, Server

MAX_BUFFERED = 256 << 20
"""Bytes of messages that are incomplete, unread or unsent, over all streams. Four of the largest messages, if that is
more."""
_BACKLOG = 1024
_HANDSHAKE = 10.0
"""Seconds for a TLS handshake."""
_SETTLED = 1.0
"""Seconds from closing the listener to GOAWAY. If GOAWAY were sent at once, clients would reconnect to another child
process that is also about to stop, and their queued connections would be lost."""
_POLL = 0.05
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}
"""Socket options by which a gateway that has vanished is noticed within a minute."""


class Nghttp2Server:
    """A server; see `Server`.

    Attributes:
        name: ``nghttp2``.
        port: the port that was bound.
        state: what its connections share.
    """

    name = NGHTTP2

    def __init__(self, listener: socket.socket, methods: Methods, max_message: int, streams: int) -> None:
        self.port: int = listener.getsockname()[1]
        by_path = {f"/{service}/{name}".encode(): method for (service, name), method in methods.items()}
        self.state = ServerState(by_path, max_message, max(MAX_BUFFERED, 4 * max_message), streams)
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._secure: ssl.SSLContext | None = None
        self._late: list[asyncio.Task[None]] = []

    @property
    def connections(self) -> int:
        """Open connections."""
        return len(self.state.connections)

    async def accept(self, secure: ssl.SSLContext | None) -> None:
        """Accept connections from now on."""
        self._secure = secure
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self.state),
            sock=self._listener,
            backlog=_BACKLOG,
            ssl=secure,
            ssl_handshake_timeout=_HANDSHAKE if secure else None,
        )

    def retire(self) -> None:
        """Close the listener, and send GOAWAY a second later; see `Server.retire`."""
        if self._server and self._server.is_serving():
            self._accept_rest()
            self._server.close()
            asyncio.get_running_loop().call_later(_SETTLED, self._retire_connections)

    def _retire_connections(self) -> None:
        for connection in list(self.state.connections):
            connection.retire()

    def _accept_rest(self) -> None:
        """Accept the connections that the kernel has queued; it would reset them."""
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._late.append(asyncio.ensure_future(self._connect(accepted)))

    async def _connect(self, accepted: socket.socket) -> None:
        accepted.settimeout(0)
        with suppress(OSError):  # the client has gone, or its certificate was rejected
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self.state),
                accepted,
                ssl=self._secure,
                ssl_handshake_timeout=_HANDSHAKE if self._secure else None,
            )

    async def stop(self, seconds: float) -> None:
        """See `Server.stop`."""
        self.state.stopping = True
        self.retire()
        self._retire_connections()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while any(connection.busy for connection in self.state.connections):  # noqa: ASYNC110 - no event for it
                    await asyncio.sleep(_POLL)
        for connection in list(self.state.connections):
            connection.quit()


async def listen(
    address: Address, tls: Tls | None, methods: Methods, *, max_message: int, streams: int = MAX_STREAMS
) -> Server:
    """Serve methods.

    Args:
        address: where; port 0 takes a free one.
        tls: None for clear text.
        methods: the handlers.
        max_message: bytes of the largest message.
        streams: concurrent streams per connection.

    Raises:
        UserError: the address cannot be bound, the TLS files do not match, or the library is not installed.
    """
    library()
    secure = _reloading_context(tls) if tls else None
    server = Nghttp2Server(_bind(address), methods, max_message, streams)
    await server.accept(secure)
    return server


def _bind(address: Address) -> socket.socket:
    ipv6 = ":" in address.host
    try:
        listener = socket.create_server(
            (address.host, address.port),
            family=socket.AF_INET6 if ipv6 else socket.AF_INET,
            backlog=_BACKLOG,
            reuse_port=True,
            dualstack_ipv6=address.host == "::" and socket.has_dualstack_ipv6(),
        )
    except (OSError, UnicodeError):
        raise UserError(f"cannot listen on {address}; give another --address") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # accepted sockets inherit the options
    for name, value in _KEEPALIVE.items():
        if (option := getattr(socket, name, None)) is not None:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
    return listener


def _reloading_context(tls: Tls) -> ssl.SSLContext:
    """A context that reads the files again for each handshake if they have changed."""
    try:
        first = current = _context(tls)
    except OSError as error:
        raise UserError(f"{tls.cert}, {tls.key}: {error.strerror or error}; give a chain and its key") from None

    def select(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        nonlocal current
        current = tls.reload(lambda _: _context(tls)) or current
        connection.context = current

    first.sni_callback = select  # called for every client, with or without a server name
    return first


def _context(tls: Tls) -> ssl.SSLContext:
    """A context of the files.

    Raises:
        OSError: a file cannot be read, or they do not match (`ssl.SSLError`).
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET  # a resumed session would skip the check of the client's certificate
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    context.set_alpn_protocols(["h2"])
    context.load_cert_chain(tls.cert, tls.key, "")  # without a password OpenSSL would ask for one on the terminal
    if tls.client_ca:
        context.load_verify_locations(tls.client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
