"""The life of the parent process: start the children, supervise them, answer for all of them, and stop them."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vsr_runtime.errors import UserError
from vsr_runtime.inference.engine.broker import Broker
from vsr_runtime.log import dropped_lines, log
from vsr_runtime.server.address import Address
from vsr_runtime.server.counters import Family, State
from vsr_runtime.server.metrics import Metrics
from vsr_runtime.server.stop_signal import begin_stop
from vsr_runtime.server.supervisor.child import STUCK_AFTER, Child
from vsr_runtime.server.supervisor.http_proxy import HttpProxy
from vsr_runtime.server.supervisor.link import BROKER, PORT, WORKERS
from vsr_runtime.server.transport.stream import MAX_SHUTDOWN_DELAY
from vsr_schemas.runtime import FOLLOWING

_SCRAPE = 1.0
"""Seconds that a scrape waits for a child's values; after that its last ones are used."""
_END = MAX_SHUTDOWN_DELAY + FOLLOWING + 20.0
"""Seconds after which a child that is stopping is killed: later than it would end by itself."""
_LAST = 10.0
"""Seconds after that in which this process ends by itself."""
_LOOK = 0.05


class Supervisor:
    """Several children as one.

    Args:
        command: starts a child.
        count: how many.
        environment: added to the environment of each child.
        stuck_after: seconds without a report after which a child counts as stuck.
    """

    def __init__(
        self, command: Sequence[str], count: int, environment: dict[str, str], stuck_after: float = STUCK_AFTER
    ) -> None:
        self.children = [
            Child(number, command, environment, self._absorb_counters, stuck_after=stuck_after)
            for number in range(count)
        ]
        self._metrics = Metrics()
        self._restarts = Family("vsr_worker_restarts", "Child processes that were started again.")
        self._serving = Family("vsr_workers_serving", "Child processes that take requests.", gauge="sum")
        self._left: State = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    @property
    def ready(self) -> bool:
        """Whether every child accepts requests."""
        return not self._stopping and all(child.serving for child in self.children)

    @property
    def http(self) -> list[str]:
        """The HTTP addresses of the children that accept requests."""
        return [child.report.http for child in self.children if child.report and child.report.serving]

    async def metrics(self, *, exemplars: bool = False) -> bytes:
        """The combined metrics of all children, including those that have ended."""
        await asyncio.wait([asyncio.ensure_future(child.ask()) for child in self.children], timeout=_SCRAPE)
        return self.text(exemplars=exemplars)

    def text(self, *, exemplars: bool = False) -> bytes:
        """The combined metrics by their last reports."""
        states = [child.report.state for child in self.children if child.report]
        self._restarts.labels().set(sum(child.restarts for child in self.children))
        self._serving.labels().set(sum(child.serving for child in self.children))
        own = {"vsr_log_lines_dropped": {"": [float(dropped_lines())]}}
        return self._metrics.joined_text(
            [*states, self._left, own], (self._restarts, self._serving), exemplars=exemplars
        )

    async def start(self, stop: asyncio.Event) -> None:
        """Start one child, and the others once it serves, so that an invalid policy is reported once.

        Raises:
            UserError: a child ended before it ever served.
        """
        for some in (self.children[:1], self.children[1:]):
            self._tasks += [asyncio.ensure_future(child.keep()) for child in some]
            while not (stop.is_set() or all(child.serving for child in some)):
                if any(task.done() for task in self._tasks):
                    raise UserError("a child process did not start; its own line above says why")
                await asyncio.sleep(_LOOK)

    async def stop(self) -> None:
        """Stop all children gracefully."""
        self._stopping = True
        for child in self.children:
            child.stop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks, timeout=_END)
            for child in self.children if late else ():
                child.signal(signal.SIGKILL)
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def signal(self, number: int) -> None:
        """Forward a signal to all."""
        for child in self.children:
            child.signal(number)

    def _absorb_counters(self, state: State) -> None:
        self._left = self._metrics.joined([self._left, self._metrics.outlasting(state)])


def run_supervisor(count: int, grpc: Address, http: Address, stuck_after: float = STUCK_AFTER) -> None:
    """Serve with several children until SIGTERM or SIGINT. Each child runs this very command again.

    Args:
        count: how many.
        grpc: their ext_proc address. Port 0 takes a free one.
        http: where this process answers probes and scrapes.
        stuck_after: seconds without a report after which a child counts as stuck.

    Raises:
        UserError: an address cannot be bound, or no child started serving.
    """
    asyncio.run(_run(count, grpc, http, stuck_after))


async def _run(count: int, grpc: Address, http: Address, stuck_after: float) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, begin_stop, stop, _END + _LAST)
    with _reserved(grpc) as port, tempfile.TemporaryDirectory(prefix="vsr-children-") as folder:
        broker, path = Broker(), Path(folder) / "broker"
        leases = await broker.listen(path)
        environment = {PORT: str(port), BROKER: str(path), WORKERS: str(count)}
        supervisor = Supervisor([sys.executable, *sys.orig_argv[1:]], count, environment, stuck_after)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, supervisor.signal, signal.SIGHUP)
        try:
            front = await HttpProxy(supervisor).listen(http)
        except OSError as error:
            raise UserError(
                f"cannot listen on {http} ({error.strerror or error}); give another --http-address"
            ) from None
        try:
            await supervisor.start(stop)
            if not stop.is_set():
                at = f"{http.host}:{front.sockets[0].getsockname()[1]}"
                log("serving", address=f"{grpc.host}:{port}", http=at, workers=count)
            await stop.wait()
            log("draining", workers=count)
        finally:
            await supervisor.stop()
            broker.close()
            leases.close()
            front.close()
        log("stopped")


@contextmanager
def _reserved(address: Address) -> Iterator[int]:
    """Hold the port while children come and go. A bound socket that does not listen takes no connections from them."""
    if address.port:
        yield address.port
        return
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((address.host, 0))
        yield int(held.getsockname()[1])
