"""The processes: one that starts readers, and readers, which execute the state machines on large bodies.

A reader is forked from a process that has loaded the policy and has one thread, so it starts in some milliseconds.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

from vsr_runtime.decision.deadline import Budget
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import NeedSignals, RequestBody
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.response_events import DetectionsReady, NeedDetections, ResponseBody, ResponseError
from vsr_runtime.decision.request.response_machine import AwaitsWhole, advance_response
from vsr_runtime.decision.request.states import MachineConfig
from vsr_runtime.server.readers.frames import receive, send
from vsr_runtime.server.readers.messages import (
    Answer,
    Done,
    Failed,
    Order,
    ReaderStarted,
    ReadRequest,
    ReadResponse,
    StartReader,
)
from vsr_runtime.settings import SettingsSource, build_settings, machine_config

MEMORY = 320 << 20
"""Bytes of memory that reading one body may take: some forty times the largest body by default."""
GROWN = 48 << 20
"""Bytes by which a reader may have grown after a body. One that keeps more ends, and another takes its place."""
_POLICIES = 4
"""Policies that are kept loaded: the current one, and those of requests that began before a reload."""
_NICENESS = 5
_PDEATHSIG = 1
_OOM_SCORE = b"1000"


def main(control: socket.socket) -> NoReturn:
    """Start readers as the server asks, until it closes the socket."""
    children: set[int] = set()
    try:
        _detach(control)
        _serve(control, children)
    except (EOFError, OSError):
        pass
    finally:
        for child in children:
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        os._exit(0)


def _detach(control: socket.socket) -> None:
    """Keep nothing of the server's: its files, signals and output belong to it."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        if number != control.fileno():
            os.dup2(null, number)
    for number in {int(link.name) for link in Path("/proc/self/fd").iterdir()} - {0, 1, 2, control.fileno()}:
        with suppress(OSError):
            os.close(number)


def _serve(control: socket.socket, children: set[int]) -> None:
    policies: dict[int, MachineConfig] = {}
    while True:
        order, _ = receive(control)
        _reap(children)
        try:
            config = _config(policies, order)
        except Exception as error:  # noqa: BLE001 - the server must hear of it, and goes on without readers
            send(control, ReaderStarted(None, f"{type(error).__name__}: {error}"[:500]))
            continue
        ours, theirs = socket.socketpair()
        child = os.fork()
        if child == 0:
            control.close()
            theirs.close()
            _read(ours, config)
        ours.close()
        children.add(child)
        send(control, ReaderStarted(child))
        socket.send_fds(control, [b"\0"], [theirs.fileno()])
        theirs.close()


def _config(policies: dict[int, MachineConfig], order: StartReader) -> MachineConfig:
    if order.source is not None:
        policies[order.key] = _load(order.source)
        for key in sorted(policies)[:-_POLICIES]:
            del policies[key]
    return policies[order.key]


def _load(source: SettingsSource) -> MachineConfig:
    config = machine_config(build_settings(source))
    gc.collect()
    gc.freeze()  # the collector would write to the memory that readers share
    return config


def _reap(children: set[int]) -> None:
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG)[0]) != 0:
            children.discard(ended)


def _read(connection: socket.socket, config: MachineConfig) -> NoReturn:
    """Read bodies until the server closes the socket."""
    try:
        _confine()
        reader = Reader(config)
        before = resident()
        while True:
            order, body = receive(connection, reader.guards)
            answer = reader.answer(order, body)
            del order, body
            if isinstance(answer, Done) and reader.idle:
                gc.collect()
                answer = Done(answer.action, last=resident() > before + GROWN)
            send(connection, answer)
            if answer == Failed("memory") or (isinstance(answer, Done) and answer.last):
                break
    except (EOFError, OSError, MemoryError):
        pass
    finally:
        os._exit(0)


def _confine() -> None:
    """Bound the memory, and let the server go first: it is the reader that ends if the machine has too little."""
    gc.disable()  # a body has no cycles, and its millions of values would be walked again and again
    os.nice(_NICENESS)
    limit = _size("VmSize") + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGKILL)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_bytes(_OOM_SCORE)


def resident() -> int:
    """Return the bytes of memory that this process has."""
    return _size("VmRSS")


def _size(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


class Reader:
    """Executes the state machines, one body after another.

    Args:
        config: the policy.

    Attributes:
        guards: the policy's guards by name.
        idle: whether no body is in work.
    """

    def __init__(self, config: MachineConfig) -> None:
        self.guards: Mapping[str, Guard] = {guard.name: guard for guard in config.program.guards}
        self.idle = True
        self._config = config
        self._state: Any = None

    def answer(self, order: Order, body: bytes) -> Answer:
        """Take the next step of a body. Every failure is an answer."""
        try:
            self._state, action = self._advance(order, body)
        except MemoryError:
            self._state = None
            return Failed("memory")
        except ResponseError as error:
            self._state = None
            return Failed("response", str(error))
        except Exception as error:  # noqa: BLE001 - the server ends the stream with it
            self._state = None
            return Failed("error", type(error).__name__)
        self.idle = not isinstance(action, NeedSignals | NeedDetections)
        if self.idle:
            self._state = None
        return Done(action)

    def _advance(self, order: Order, body: bytes) -> tuple[Any, Any]:
        match order:
            case ReadRequest(state, seconds):
                return advance(self._config, state, RequestBody(body, _budget(seconds)))
            case ReadResponse(plan, seconds):
                event = ResponseBody(body, end_of_stream=True, expired=_budget(seconds))
                return advance_response(AwaitsWhole(plan), event)
        if isinstance(order.results, DetectionsReady):
            return advance_response(self._state, order.results)
        return advance(self._config, self._state, order.results)


def _budget(seconds: float) -> Budget:
    end = monotonic() + seconds
    return Budget.of(seconds, lambda: monotonic() > end)


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
