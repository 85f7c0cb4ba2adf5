"""gRPC over nghttp2, on the event loop itself: no thread stands between a socket and a handler."""

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
from vsr_runtime.server.transport.stream import MAX_STREAMS, NGHTTP2, Methods, Server

MAX_BUFFERED = 256 << 20
"""Bytes of messages that are not whole, not read or not sent yet, over all streams, unless one message may be larger
than a quarter of it: then four of those."""
_BACKLOG = 1024
_HANDSHAKE = 10.0
"""Seconds for TLS."""
_SETTLED = 1.0
"""Seconds from taking no new connection to asking those that are there to make place. At once, they would come back to
another worker that is told to stop, too, just before it listens no more, and be lost with what waits to be accepted."""
_LOOK = 0.05
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 60_000}
"""Options of a socket, with which a gateway that has gone without a word is noticed within a minute."""


class Front:
    """A server.

    Attributes:
        name: ``nghttp2``.
        port: where it listens.
        open_connections: the connections.
        running: streams whose handlers run or whose answers wait to be taken.
        buffered: bytes of messages that are not whole, not read or not sent yet.
        max_buffered: how many there may be before no more are received.
        stopping: whether no stream may begin.
    """

    name = NGHTTP2

    def __init__(self, listener: socket.socket, methods: Methods, max_message: int, streams: int) -> None:
        self.port: int = listener.getsockname()[1]
        self.methods = {f"/{service}/{name}".encode(): method for (service, name), method in methods.items()}
        self.max_message, self.streams = max_message, streams
        self.open_connections: set[Connection] = set()
        self.running = self.buffered = 0
        self.max_buffered = max(MAX_BUFFERED, 4 * max_message)
        self.stopping = False
        self._listener = listener
        self._server: asyncio.Server | None = None
        self._secure: ssl.SSLContext | None = None
        self._late: list[asyncio.Task[None]] = []

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self.open_connections)

    async def accept(self, secure: ssl.SSLContext | None) -> None:
        """Take connections from now on."""
        self._secure = secure
        self._server = await asyncio.get_running_loop().create_server(
            lambda: Connection(self),
            sock=self._listener,
            backlog=_BACKLOG,
            ssl=secure,
            ssl_handshake_timeout=_HANDSHAKE if secure else None,
        )

    def retire(self) -> None:
        """As `Server` says: in a moment, since streams that a gateway begins before it has heard of it are served."""
        if self._server and self._server.is_serving():
            self._accept_rest()
            self._server.close()
            asyncio.get_running_loop().call_later(_SETTLED, self._ask)

    def _ask(self) -> None:
        for each in list(self.open_connections):
            each.retire()

    def _accept_rest(self) -> None:
        """Take those that the kernel has connected already, and would cut off."""
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            self._late.append(asyncio.ensure_future(self._connect(accepted)))

    async def _connect(self, accepted: socket.socket) -> None:
        accepted.settimeout(0)
        with suppress(OSError):  # the client's own affair: it has gone, or its certificate will not do
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self),
                accepted,
                ssl=self._secure,
                ssl_handshake_timeout=_HANDSHAKE if self._secure else None,
            )

    async def stop(self, seconds: float) -> None:
        """As `Server` says."""
        self.stopping = True
        self.retire()
        self._ask()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while any(each.busy for each in self.open_connections):  # noqa: ASYNC110 - nobody is told of it
                    await asyncio.sleep(_LOOK)
        for each in list(self.open_connections):
            each.quit()


async def listen(
    address: Address, tls: Tls | None, methods: Methods, *, max_message: int, streams: int = MAX_STREAMS
) -> Server:
    """Serve methods.

    Args:
        address: where; port 0 takes a free one.
        tls: None for clear text.
        methods: what answers.
        max_message: bytes of the largest message.
        streams: at a time in one connection.

    Raises:
        UserError: the address cannot be bound, the files for TLS do not go together, or the library is not there.
    """
    library()
    secure = _followed(tls) if tls else None
    listener = _bound(address)
    front = Front(listener, methods, max_message, streams)
    await front.accept(secure)
    return front


def _bound(address: Address) -> socket.socket:
    wide = ":" in address.host
    try:
        listener = socket.create_server(
            (address.host, address.port),
            family=socket.AF_INET6 if wide else socket.AF_INET,
            backlog=_BACKLOG,
            reuse_port=True,
            dualstack_ipv6=address.host == "::" and socket.has_dualstack_ipv6(),
        )
    except (OSError, UnicodeError):
        raise UserError(f"cannot listen on {address}; give another --address") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)  # what is accepted has the listener's options
    for name, value in _KEEPALIVE.items():
        if (option := getattr(socket, name, None)) is not None:
            listener.setsockopt(socket.IPPROTO_TCP, option, value)
    return listener


def _followed(tls: Tls) -> ssl.SSLContext:
    """A context that shows each client what lies in the files by then."""
    try:
        first = current = _context(tls)
    except OSError as error:
        raise UserError(f"{tls.cert}, {tls.key}: {error.strerror or error}; give a chain and its key") from None

    def show(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        nonlocal current
        current = tls.adopted(lambda _: _context(tls)) or current
        connection.context = current

    first.sni_callback = show  # asked for each client, whether it names a server or not
    return first


def _context(tls: Tls) -> ssl.SSLContext:
    """What lies in the files.

    Raises:
        OSError: it cannot be read, or does not go together (`ssl.SSLError`).
    """
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.options |= ssl.OP_NO_TICKET  # who resumes a session is not asked for a certificate again
    made.options |= ssl.OP_NO_RENEGOTIATION
    made.num_tickets = 0
    made.set_alpn_protocols(["h2"])
    made.load_cert_chain(tls.cert, tls.key, "")  # else a key that asks for a password would ask it of the terminal
    if tls.client_ca:
        made.load_verify_locations(tls.client_ca)
        made.verify_mode = ssl.CERT_REQUIRED
    return made
