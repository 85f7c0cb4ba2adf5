"""``vsr-runtime local``: runs the sandbox until it is stopped, or a part of it dies."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from vsr_runtime.log import print_result
from vsr_runtime.sandbox.fake_answers import MARKER
from vsr_runtime.sandbox.sandbox import Sandbox, StoppedError

_LOOK = 0.2


def run_until_stopped(directory: Path, *, fake_detectors: bool = False) -> None:
    """Start a sandbox, print its URL as the first line, and run it until SIGINT or SIGTERM.

    Raises:
        UserError: it did not start, or a part has died.
    """
    with ExitStack() as parts:
        stop = parts.enter_context(stop_on_signals())
        parts.enter_context(suppress(StoppedError))
        sandbox = parts.enter_context(Sandbox(directory, stop=stop, fake_detectors=fake_detectors))
        print_result(sandbox.url)
        for line in detector_lines(sandbox):
            print_result(line)
        for line in sandbox.listeners.lines() if sandbox.listeners is not None else ():
            print_result(line)
        for client in sandbox.spec.identity.clients if sandbox.spec.identity is not None else ():
            shown = [f"{name} {value}" for name, value in client.attributes.items()]
            shown += [f"role {role}" for role in client.roles]
            headers = " ".join(f"-H '{name}: {value}'" for name, value in sandbox.clients.headers(client).items())
            print_result(f"{', '.join(shown)}: {headers}")
        while not stop.wait(_LOOK):
            sandbox.check()


def detector_lines(sandbox: Sandbox) -> list[str]:
    """Return what a user must know of the servers that classify text: which of them are fakes, or how to get fakes."""
    lines = [
        f"classifiers.{fake.name}: a FAKE answers for {fake.server.url} ({fake.server.protocol}): it finds nothing but "
        f"the word {MARKER}"
        for fake in sandbox.fakes
    ]
    lines += [
        f"classifiers.{name}: asks {url}; where no server answers there, requests are decided as if it were down. "
        "With --fake-detectors the sandbox answers for it."
        for name, url in sandbox.detectors.items()
    ]
    return lines


@contextmanager
def stop_on_signals() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set, instead of interrupting a start or a stop halfway."""
    stop = threading.Event()
    before = {name: signal.signal(name, lambda *_: stop.set()) for name in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
