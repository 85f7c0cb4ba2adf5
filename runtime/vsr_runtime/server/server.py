"""The life of a server: load, warm up, listen, serve, drain."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from vsr_runtime import settings
from vsr_runtime.errors import UserError
from vsr_runtime.log import log
from vsr_runtime.server.address import Address
from vsr_runtime.server.audit.writer import AuditLog
from vsr_runtime.server.candidate import Comparison
from vsr_runtime.server.extproc import Processor
from vsr_runtime.server.file_reads import LOAD, FileReads
from vsr_runtime.server.generation import Loader, content_hash, warm_generation
from vsr_runtime.server.health import Health
from vsr_runtime.server.http import HttpPort
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.readers.pool import ReaderPool
from vsr_runtime.server.reload import POLL, Reloader, keys_hash
from vsr_runtime.server.stop_signal import begin_stop
from vsr_runtime.server.supervisor.link import PORT, ChildReport, answer, is_child, workers
from vsr_runtime.server.tls import Tls
from vsr_runtime.server.trace import tracing
from vsr_runtime.server.transport.choose import choose_transport
from vsr_runtime.server.transport.stream import AGE, MAX_STREAMS, SHARED_STREAMS, Server
from vsr_schemas.runtime import FOLLOWING

if TYPE_CHECKING:
    from vsr_runtime.server.api.api import HttpApi

DRAIN = 5.0
"""Seconds for cancelled streams to end."""
_RETIRED = AGE * 1.2
"""Seconds for clients to leave connections that have got GOAWAY."""
_LAST_SECONDS = _RETIRED + 2 * DRAIN + 5.0
"""Seconds, besides the shutdown delay and responses, in which a process that was asked to stop ends by itself."""
_LOOK = 0.05
_LOOPBACK = Address("127.0.0.1", 0)
_MOST = 2000
"""Characters of what a config has without effect, in the log."""


@dataclass(frozen=True, slots=True)
class Listen:
    """Where to listen: ext_proc over gRPC, in clear text or TLS; probes over HTTP. Port 0 takes a free one.

    Attributes:
        api: whether the HTTP port serves the API, too.
        classify: the classifier that the API's ``/classify`` uses if a request names none.
        transport: ``nghttp2`` or ``grpc``; None for nghttp2 if it is installed, else grpc.
        agentgateway: whether agentgateway asks, and not an Envoy.
        audit: the folder of the audit log; None for none.
        lossy: whether requests are served although their records cannot be written.
        shadow: the config.yaml of a candidate that is compared with the policy; None for none.
        share: per cent of all conversations that the candidate decides.
    """

    grpc: Address
    http: Address
    tls: Tls | None = None
    api: bool = False
    classify: str | None = None
    transport: str | None = None
    agentgateway: bool = False
    shadow: Path | None = None
    audit: Path | None = None
    lossy: bool = False
    share: float = 0


def run(
    config: Path,
    listen: Listen,
    load: Loader,
    poll: float = POLL,
    *,
    credentials: Path | None = None,
    shutdown_delay: float = 0,
) -> None:
    """Serve until SIGTERM or SIGINT, and follow the policy as its files change.

    Logs ``serving`` with the bound addresses, once requests are accepted.

    Args:
        config: the policy's config.yaml.
        listen: the addresses.
        load: loads the classifier, or returns None if the settings name none. Runs in a thread.
        poll: seconds between two checks of the files.
        credentials: the folder with the keys of providers; None for ``credentials`` next to the config. Keys are
            read with each generation.
        shutdown_delay: seconds after SIGTERM in which the process is unready but still accepts connections, because
            Services and gateways learn of its termination with a delay.

    Raises:
        UserError: the policy or its classifier cannot be loaded, or an address cannot be bound.
    """
    pool = ReaderPool.start()  # before there are threads
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(config, listen, load, poll, credentials, shutdown_delay, pool))
    finally:
        if pool:
            pool.close()


async def _serve(
    config: Path,
    listen: Listen,
    load: Loader,
    poll: float,
    credentials: Path | None,
    shutdown_delay: float,
    pool: ReaderPool | None,
) -> None:
    stop, check_now = asyncio.Event(), asyncio.Event()
    reads = FileReads()
    loop = asyncio.get_running_loop()
    processor: Processor | None = None

    def asked_to_stop() -> None:
        follows = processor is not None and processor.generation.reads_responses
        begin_stop(stop, shutdown_delay + _LAST_SECONDS + (FOLLOWING if follows else 0))

    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, asked_to_stop)
    loop.add_signal_handler(signal.SIGHUP, check_now.set)
    if is_child():
        listen = replace(listen, grpc=replace(listen.grpc, port=int(os.environ[PORT])), http=_LOOPBACK)
    digest, keys = await reads.run(lambda: (content_hash(config), keys_hash(config, credentials)))
    policy = await reads.run(lambda: settings.load(config, credentials, workers()))
    if policy.ignored:
        log("config_ignored", parts=len(policy.ignored), of="; ".join(policy.ignored)[:_MOST])
    metrics = Metrics(policy.program)
    traces = tracing()
    comparison = Comparison(listen.shadow, load, metrics, listen.share, agentgateway=listen.agentgateway)
    health = Health(metrics.text)
    api = _api(health, metrics, listen)
    http = await _listen_http(HttpPort(health, api), listen.http)
    bound = f"{listen.http.host}:{http.port}"
    line = (
        asyncio.ensure_future(answer(lambda: ChildReport(health.serving, bound, metrics.state()), stop))
        if is_child()
        else None
    )
    try:
        generation = await warm_generation(policy, await reads.run(lambda: load(policy), LOAD), digest)
        metrics.adopt(policy.program, digest)
        processor = Processor(
            generation,
            metrics,
            tracing=traces,
            pool=pool,
            shadow=comparison.shadow,
            audit=_audit(listen, metrics),
            agentgateway=listen.agentgateway,
        )
        reloader = Reloader(config, load, processor, metrics, generation, keys, credentials, reads)
        await reloader.look()  # files that changed while they were read may be a mix
        server = await _listen_grpc(health, processor, listen, generation.max_message)
        watch = asyncio.ensure_future(reloader.watch(poll, check_now))
        metrics.follow(lambda: processor.generation.waiting)
        health.stalled = lambda: processor.stalled
        if api:
            api.processor = processor
        health.ready = True
        word = "worker_serving" if is_child() else "serving"
        log(
            word,
            address=f"{listen.grpc.host}:{server.port}",
            http=bound,
            transport=server.name,
            pid=os.getpid(),
            config=processor.generation.digest,
        )
        watching = [watch, *comparison.watch(config, credentials, processor, reads, poll)]
        await stop.wait()
        await _cancel(watching)
        await _drain(server, health, processor, shutdown_delay)
        processor.close()
    finally:
        if line:
            line.cancel()
        await http.close()


def _audit(listen: Listen, metrics: Metrics) -> AuditLog | None:
    """Begin the audit log, if there is one."""
    if listen.audit is None:
        return None
    audit = AuditLog(listen.audit, refuse=not listen.lossy)
    metrics.follow_audit(lambda: (audit.written, audit.lost))
    return audit


async def _cancel(tasks: Sequence[asyncio.Future[None]]) -> None:
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _api(health: Health, metrics: Metrics, listen: Listen) -> HttpApi | None:
    """Create the API, and import it only if it is enabled."""
    if not listen.api:
        return None
    from vsr_runtime.server.api.api import HttpApi  # noqa: PLC0415 - only if it is enabled

    return HttpApi(lambda: health.serving, metrics, listen.classify)


async def _drain(server: Server, health: Health, processor: Processor, shutdown_delay: float) -> None:
    """Become unready, accept no new connections, serve the open ones to their end, then end what is undecided."""
    log("draining", open=processor.open_streams)
    health.ready = False
    await asyncio.sleep(shutdown_delay)
    server.retire()
    # A stalled client must not delay the others: its connection is cut off later, by `stop`.
    until = monotonic() + _RETIRED
    while server.connections and monotonic() < until:  # noqa: ASYNC110 - transports have no event for it
        await asyncio.sleep(_LOOK)
    stopping = asyncio.ensure_future(server.stop(FOLLOWING + DRAIN))
    await processor.drain(0, FOLLOWING)
    if (await asyncio.wait((stopping,), timeout=DRAIN))[1]:  # a client does not read its last answer
        await server.stop(0)
        stopping.cancel()
    log("stopped")


async def _listen_http(http: HttpPort, address: Address) -> HttpPort:
    try:
        await http.listen(address.host, address.port)
    except OSError as error:
        raise UserError(
            f"cannot listen on {address} ({error.strerror or error}); give another --http-address"
        ) from None
    return http


async def _listen_grpc(health: Health, processor: Processor, listen: Listen, max_message: int) -> Server:
    return await choose_transport(listen.transport)(
        listen.grpc,
        listen.tls,
        {**processor.methods(), **health.methods()},
        max_message=max_message,
        streams=SHARED_STREAMS if is_child() else MAX_STREAMS,
    )


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Uvloop if it is installed: the same behaviour for less CPU."""
    try:
        import uvloop  # noqa: PLC0415 - optional
    except ModuleNotFoundError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
