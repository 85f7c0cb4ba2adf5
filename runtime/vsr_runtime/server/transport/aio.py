"""gRPC by grpc.aio: everywhere, without anything to install, at three times the CPU of the other transport."""

from __future__ import annotations

from typing import Any

import grpc

from vsr_runtime.errors import UserError
from vsr_runtime.server.address import Address
from vsr_runtime.server.tls import Files, Tls
from vsr_runtime.server.transport.sockets import connections, stop_listening
from vsr_runtime.server.transport.stream import AGE, GRPC, MAX_STREAMS, Method, Methods, Server, Status

_CODES = {Status(code.value[0]): code for code in grpc.StatusCode if code.value[0] in set(Status)}


class AioServer:
    """A server of grpc.aio.

    Its connections are asked to make place at their age, and only then: gRPC has no other way without a loss. A server
    that stops refuses streams which its gateway opens before it has heard of it.
    """

    name = GRPC

    def __init__(self, server: Any, port: int) -> None:  # noqa: ANN401 - grpc ships no types
        self._server = server
        self.port = port

    @property
    def connections(self) -> int:
        """How many are open."""
        return connections(self.port)

    def retire(self) -> None:
        """As `Server` says."""
        stop_listening(self.port)

    async def stop(self, seconds: float) -> None:
        """As `Server` says."""
        await self._server.stop(seconds)


async def listen(
    address: Address, tls: Tls | None, methods: Methods, *, max_message: int, streams: int = MAX_STREAMS
) -> Server:
    """Serve methods; arguments and errors are those of `front.listen`."""
    server = grpc.aio.server(
        maximum_concurrent_rpcs=MAX_STREAMS,
        options=[
            ("grpc.so_reuseport", 1),
            ("grpc.max_receive_message_length", max_message),
            ("grpc.max_send_message_length", max_message),
            ("grpc.max_concurrent_streams", streams),
            ("grpc.max_connection_age_ms", int(AGE * 1000)),
            ("grpc.http2.bdp_probe", 0),  # the way from a gateway is short: probing it costs more than it finds
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
        raise RuntimeError("aborting came back")

    # On the wire it is a stream either way. As the result of a "unary" method the last message leaves together with
    # the status, in one operation less. Messages before it are written; like it they are bytes already.
    return grpc.method_handlers_generic_handler(
        service, {name: grpc.stream_unary_rpc_method_handler(call, method.parse, None)}
    )


def _credentials(tls: Tls) -> Any:  # noqa: ANN401 - as above
    """Credentials that are looked for again for each connection; what cannot be read changes nothing."""

    def fetch() -> Any:  # noqa: ANN401 - as above
        return tls.adopted(_configuration)

    return grpc.dynamic_ssl_server_credentials(_configuration(tls.files), fetch, tls.client_ca is not None)


def _configuration(files: Files) -> Any:  # noqa: ANN401 - as above
    return grpc.ssl_server_certificate_configuration([(files.key, files.cert)], files.client_ca)
