"""The sandbox: starts its parts in order, finds their ports, and stops them."""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vsr_runtime.credentials import DETECTORS, read_server_access
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_model, read_yaml
from vsr_runtime.sandbox.backend import Backend, Provider
from vsr_runtime.sandbox.bootstrap import localise
from vsr_runtime.sandbox.envoy import admin_address, envoy_command, gateway_port, is_ready
from vsr_runtime.sandbox.fake_detectors import FakeDetector, mark_responses, servers, with_fakes
from vsr_runtime.sandbox.identity import Clients
from vsr_runtime.sandbox.journal import Journal
from vsr_runtime.sandbox.keys import dummy_detector_files, dummy_keys
from vsr_runtime.sandbox.listeners import Listeners
from vsr_runtime.sandbox.process import Process
from vsr_schemas import sandbox as contract
from vsr_schemas.runtime import RuntimeSettings

START = 60.0
"""Seconds for each part to become ready: a first start may have to build a model's graph."""
_PAUSE = 0.05
SPEC, OLD_SPEC = "sandbox.yaml", "stand.yaml"
SERVE = (sys.executable, "-P", "-m", "vsr_runtime.cli", "serve")


class StoppedError(UserError):
    """The sandbox was stopped before it had started."""

    def __init__(self) -> None:
        super().__init__("stopped before it was done")


class Sandbox:
    """A running sandbox; use it as a context manager.

    Args:
        directory: ``out/<policy>/local``, with envoy.yaml and sandbox.yaml.
        serve: the command that serves, without its options.
        on_log: called with each line that the runtime logs, in a thread.
        stop: cancels a start when it is set.
        fake_detectors: whether fakes answer for the servers that classify text.

    Attributes:
        url: the gateway's address, such as ``http://127.0.0.1:40001``; with listeners that of the main one.
        spec: the settings in sandbox.yaml.
        clients: what clients send to be known.
        listeners: the listeners of the policy; None if it has one for every host.
        fakes: the fake detectors.
        detectors: the classifiers whose servers are outside the sandbox, with the addresses.
    """

    url: str
    spec: contract.SandboxSettings
    clients: Clients
    listeners: Listeners | None = None
    fakes: Sequence[FakeDetector] = ()
    detectors: Mapping[str, str]

    def __init__(
        self,
        directory: Path,
        *,
        serve: Sequence[str] = SERVE,
        on_log: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
        fake_detectors: bool = False,
    ) -> None:
        self._stop = stop or threading.Event()
        self._directory = Path(directory)
        self._serve = tuple(serve)
        self._on_log = on_log
        self._parts = ExitStack()
        self._backends: list[Backend] = []
        self._processes: dict[str, Process] = {}
        self._keys: Mapping[str, str] = {}
        self._journal = Journal()
        self._fake_detectors = fake_detectors
        self.detectors = {}

    def __enter__(self) -> Self:
        """Start all parts and wait until a request would be served.

        Raises:
            UserError: a file is missing or invalid, a part is not installed, or one did not start.
            StoppedError: ``stop`` was set meanwhile.
        """
        try:
            self._start()
        except BaseException:
            self._parts.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop all parts."""
        self._parts.close()

    @property
    def pids(self) -> Mapping[str, int]:
        """Process ids of the runtime and of Envoy."""
        return {name: process.pid for name, process in self._processes.items()}

    def connection(self, timeout: float) -> http.client.HTTPConnection:
        """A connection to ``url`` that is not open yet; with TLS it checks the gateway's certificate."""
        if self.listeners is not None:
            return self.listeners.connection(timeout=timeout)
        return http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=timeout)

    def decision(self, request_id: str, timeout: float = 5.0) -> Mapping[str, Any] | None:
        """The runtime's log record of its decision on a request; None without a decision."""
        return self._journal.decision(request_id, timeout)

    def check(self) -> None:
        """Check the parts.

        Raises:
            UserError: one has died; names it and its last log lines.
        """
        for process in self._processes.values():
            if process.exit_code is not None:
                raise UserError(process.exit_report())
        for backend in self._backends:
            if not backend.alive:
                raise UserError(f"the stand-in for {backend.cluster} stopped by itself")

    def _start(self) -> None:
        if not (self._directory / SPEC).exists() and (self._directory / "local" / SPEC).exists():
            raise UserError(
                f"{self._directory}: is the whole output of a policy; give its sandbox, {self._directory / 'local'}"
            )
        if not (self._directory / SPEC).exists() and (self._directory / OLD_SPEC).exists():
            raise UserError(
                f"{self._directory}: {OLD_SPEC} was written by an older release; compile the policy again to get {SPEC}"
            )
        self.spec = read_model(self._directory / SPEC, contract.SandboxSettings)
        bootstrap = read_yaml(self._directory / "envoy.yaml")
        command = envoy_command()
        folder = Path(self._parts.enter_context(tempfile.TemporaryDirectory(prefix="vsr-local-")))
        self._keys = dummy_keys(folder / "credentials", [each.external or each.key for each in self.spec.backends])
        self.clients = Clients(self.spec.identity, folder)
        if self.spec.listeners is not None:
            self.listeners = Listeners(self.spec.listeners, folder, self._parts)
        ports = {self.spec.extProcCluster: self._start_runtime(folder / "credentials")}
        for backend in self.spec.backends:
            if backend.cluster in ports:
                raise UserError(f"sandbox.yaml: duplicate cluster {backend.cluster!r}")
            ports[backend.cluster] = self._start_backend(backend)
        file = folder / "envoy.json"
        changed = localise(bootstrap, ports, str(folder / "attempts.sock"), self.clients.key_set, self.listeners)
        if self.fakes:
            mark_responses(changed, ", ".join(sorted({fake.name for fake in self.fakes})))
        file.write_text(json.dumps(changed), encoding="utf-8")
        self._start_envoy((*command, "-c", str(file)), folder / "admin")

    def _start_backend(self, spec: contract.Backend) -> int:
        backend = Backend(spec.cluster, spec.models, self._provider(spec))
        self._parts.callback(backend.stop)
        self._backends.append(backend)
        return backend.port

    def _provider(self, spec: contract.Backend) -> Provider | None:
        """Return how a stand-in is called; None if it accepts everything."""
        external, key = spec.external, spec.external or spec.key
        if key is None:
            return None
        provider = Provider(inside=True)
        if external is not None:
            provider = Provider(external.path, query=external.query, headers=tuple(external.headers or ()))
        if key.credential is None:
            return provider
        if key.parameter is None:
            return replace(provider, value=key.prefix + self._keys[key.credential], header=key.header)
        parameter = f"{key.parameter}={self._keys[key.credential]}"
        return replace(provider, query=f"{provider.query}&{parameter}" if provider.query else parameter)

    def _start_runtime(self, folder: Path) -> int:
        config = self._with_detectors(self._directory / self.spec.router, folder.parent)
        options: tuple[str, ...] = (
            "--config",
            str(config),
            "--address",
            "127.0.0.1:0",
            "--http-address",
            "127.0.0.1:0",
        )
        if self.spec.candidate is not None:
            candidate = self._with_detectors(self._directory / self.spec.candidate, folder.parent)
            options += ("--shadow", str(candidate), "--share", str(self.spec.share))
        if self._keys or self.spec.identity is not None or (folder.parent / DETECTORS).exists():
            options += ("--credentials", str(folder))
        process = self._start_process("the runtime", (*self._serve, *options), self._hear)
        until = time.monotonic() + START
        while (record := self._journal.serving(_PAUSE)) is None:
            self._wait(process, until)
        return int(str(record["address"]).rpartition(":")[2])

    def _with_detectors(self, config: Path, folder: Path) -> Path:
        """Return a policy's settings, with fakes for the servers that classify text if they are wanted."""
        runtime = read_model(config.parent / "runtime.yaml", RuntimeSettings)
        files = folder / DETECTORS
        dummy_detector_files(files, runtime)
        if not self._fake_detectors:
            self.detectors = {**self.detectors, **{name: server.url for name, server in servers(runtime).items()}}
            return config
        copy = Path(tempfile.mkdtemp(dir=folder))
        changed, fakes = with_fakes(config, copy, partial(read_server_access, files))
        for fake in fakes:
            self._parts.callback(fake.stop)
        self.fakes = (*self.fakes, *fakes)
        return changed

    def _start_envoy(self, command: Sequence[str], admin_file: Path) -> None:
        process = self._start_process("Envoy", (*command, "--admin-address-path", str(admin_file)), lambda _: None)
        until = time.monotonic() + START
        while (admin := admin_address(admin_file)) is None or (port := gateway_port(admin)) is None:
            self._wait(process, until)
        self.url = f"http://127.0.0.1:{port}"
        if self.listeners is not None:
            self.url = self.listeners.url(self.listeners.main)
        headers = self.clients.headers()
        while not is_ready(self.connection, headers):
            self._wait(process, until)

    def _start_process(self, name: str, command: Sequence[str], on_line: Callable[[str], None]) -> Process:
        process = Process(name, command, on_line)
        self._parts.callback(process.stop)
        self._processes[name] = process
        return process

    def _hear(self, line: str) -> None:
        self._journal.add(line)
        if self._on_log:
            self._on_log(line)

    def _wait(self, process: Process, until: float) -> None:
        """Pause once while waiting for a part.

        Raises:
            UserError: a part has died, or the time is up.
            StoppedError: the start was cancelled.
        """
        if self._stop.is_set():
            raise StoppedError
        self.check()
        if time.monotonic() > until:
            raise UserError(f"{process.name} was not ready after {START:.0f} s; {process.last_lines()}")
        time.sleep(_PAUSE)
