"""The life of a server: load, warm, listen, serve, drain."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc

from runtime.errors import UserError
from runtime.output import log
from runtime.request.machine import Rules
from runtime.serve.address import Address
from runtime.serve.classify import Classifier, ClassifierPool
from runtime.serve.extproc import Processor
from runtime.serve.health import Health
from runtime.serve.metrics import Metrics
from runtime.settings import Settings

MAX_STREAMS = 4096
"""Streams at a time, over all connections; one more is refused with RESOURCE_EXHAUSTED."""
DRAIN = 5.0
"""Seconds for open streams to reach their decision once the server is told to stop."""

Loader = Callable[[Settings], Classifier | None]


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen: ext_proc over gRPC, probes over HTTP. Port 0 takes a free one."""

    grpc: Address
    http: Address


def run(settings: Settings, listen: Listen, load: Loader) -> None:
    """Serve until SIGTERM or SIGINT.

    Logs ``serving`` with the addresses that were bound, once requests are taken.

    Args:
        settings: the policy.
        listen: the addresses.
        load: loads the classifier, or returns None where the settings name none. Runs in a thread.

    Raises:
        UserError: an address cannot be bound or the classifier cannot be loaded.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_serve(settings, listen, load))


async def _serve(settings: Settings, listen: Listen, load: Loader) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    metrics = Metrics(settings.program)
    health = Health(metrics.text)
    http = await _listen_http(health, listen.http)
    try:
        classifier = await asyncio.to_thread(load, settings)
        pool = ClassifierPool(classifier) if classifier else None
        if pool:
            await _warm(pool)
        processor = Processor(Rules(settings.program, settings.limits.maxBody), pool, settings.budget, metrics)
        server, port = await _listen_grpc(health, processor, listen.grpc, settings.limits.maxMessage)
        health.ready = True
        log("serving", address=f"{listen.grpc.host}:{port}", http=f"{listen.http.host}:{_port(http)}")
        await stop.wait()
        await _drain(server, health, processor)
        processor.close()
        if pool:
            pool.close()
    finally:
        http.close()
        await http.wait_closed()


async def _drain(server: Any, health: Health, processor: Processor) -> None:  # noqa: ANN401 - grpc ships no types
    """Be unready first, let streams decide, then end what is undecided in an error."""
    log("draining", open=processor.open_streams)
    health.ready = False
    stopping = asyncio.ensure_future(server.stop(DRAIN * 2))
    await processor.drain(DRAIN)
    await stopping
    log("stopped")


async def _warm(pool: ClassifierPool) -> None:
    try:
        await pool.warm()
    except Exception as error:
        raise UserError(f"the classifier failed on its first text ({type(error).__name__}: {error})") from error


async def _listen_http(health: Health, address: Address) -> asyncio.Server:
    try:
        return await health.serve_http(address.host, address.port)
    except OSError as error:
        raise UserError(
            f"cannot listen on {address} ({error.strerror or error}); give another --http-address"
        ) from None


async def _listen_grpc(health: Health, processor: Processor, address: Address, max_message: int) -> tuple[Any, int]:
    server = grpc.aio.server(
        maximum_concurrent_rpcs=MAX_STREAMS,
        options=[
            ("grpc.so_reuseport", 1),
            ("grpc.max_receive_message_length", max_message),
            ("grpc.max_send_message_length", max_message),
            ("grpc.max_concurrent_streams", MAX_STREAMS),
        ],
    )
    server.add_generic_rpc_handlers((processor.handler(), health.handler()))
    try:
        port = server.add_insecure_port(str(address))
    except RuntimeError:
        raise UserError(f"cannot listen on {address}; give another --address") from None
    await server.start()
    return server, port


def _port(server: asyncio.Server) -> int:
    return int(server.sockets[0].getsockname()[1])


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop where it is installed: the same behaviour for less CPU."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ModuleNotFoundError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
