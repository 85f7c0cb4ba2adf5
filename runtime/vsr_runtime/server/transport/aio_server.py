"""gRPC over grpc.aio: works without nghttp2, for three times the CPU."""

from __future__ import annotations

from typing import Any

import grpc

from vsr_runtime.errors import UserError
from vsr_runtime.server.address import Address
from vsr_runtime.server.tls import PemFiles, Tls
from vsr_runtime.server.transport.sockets import connections, stop_listening
from vsr_runtime.server.transport.stream import AGE, GRPC, MAX_STREAMS, Method, Methods, Server, Status

_CODES = {Status(code.value[0]): code for code in grpc.StatusCode if code.value[0] in set(Status)}


class AioServer:
    """A server of grpc.aio.

    Connections get GOAWAY only at their maximum age, because gRPC has no other way that loses no stream. A server that
    stops rejects the streams that a gateway opens before it notices.
    """

    name = GRPC

    def __init__(self, server: Any, port: int) -> None:  # noqa: ANN401 - grpc ships no types
        self._server = server
        self.port = port

    @property
    def connections(self) -> int:
        """Open connections."""
        return connections(self.port)

    def retire(self) -> None:
        """Close the listener; see `Server.retire`."""
        stop_listening(self.port)

    async def stop(self, seconds: float) -> None:
        """See `Server.stop`."""
        await self._server.stop(seconds)


async def listen(
    address: Address, tls: Tls | None, methods: Methods, *, max_message: int, streams: int = MAX_STREAMS
) -> Server:
    """Serve methods; arguments and errors are those of `nghttp2_server.listen`."""
    server = grpc.aio.server(
        maximum_concurrent_rpcs=MAX_STREAMS,
        options=[
            ("grpc.so_reuseport", 1),
            ("grpc.max_receive_message_length", max_message),
            ("grpc.max_send_message_length", max_message),
            ("grpc.max_concurrent_streams", streams),
            ("grpc.max_connection_age_ms", int(AGE * 1000)),
            ("grpc.http2.bdp_probe", 0),  # the path from a gateway is short, so probing costs more than it gains
        ],
    )
    server.add_generic_rpc_handlers(tuple(_handler(*names, method) for names, method in methods.items()))
    try:
        if tls:
            port = server.add_secure_port(str(address), _credentials(tls))
        else:
            port = server.add_insecure_port(str(address))
    except RuntimeError:
        raise UserError(f"cannot listen on {address}; give another --address") from None
    await server.start()
    return AioServer(server, port)


def _handler(service: str, name: str, method: Method) -> Any:  # noqa: ANN401 - grpc ships no types
    async def call(_: object, context: Any) -> bytes:  # noqa: ANN401 - as above
        outcome = await method.handle(context)
        if isinstance(outcome, bytes):
            return outcome
        await context.abort(_CODES[outcome[0]], outcome[1])
        raise RuntimeError("abort returned")

    # On the wire it is a stream either way. As the result of a "unary" method, the last message is sent together with
    # the status, in one operation less. All messages are bytes already.
    return grpc.method_handlers_generic_handler(
        service, {name: grpc.stream_unary_rpc_method_handler(call, method.parse, None)}
    )


def _credentials(tls: Tls) -> Any:  # noqa: ANN401 - as above
    """Credentials that are read again for each connection; unreadable files change nothing."""

    def fetch() -> Any:  # noqa: ANN401 - as above
        return tls.reload(_configuration)

    return grpc.dynamic_ssl_server_credentials(_configuration(tls.files), fetch, tls.client_ca is not None)


def _configuration(files: PemFiles) -> Any:  # noqa: ANN401 - as above
    return grpc.ssl_server_certificate_configuration([(files.key, files.cert)], files.client_ca)
