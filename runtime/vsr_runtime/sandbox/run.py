"""``vsr-runtime local``: runs the sandbox until it is stopped, or a part of it dies."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vsr_runtime.log import print_result
from vsr_runtime.sandbox.sandbox import Sandbox, StoppedError

_LOOK = 0.2


def run_until_stopped(directory: Path) -> None:
    """Start a sandbox, print its URL as the first line, and run it until SIGINT or SIGTERM.

    Raises:
        UserError: it did not start, or a part has died.
    """
    with stop_on_signals() as stop, suppress(StoppedError), Sandbox(directory, stop=stop) as sandbox:
        print_result(sandbox.url)
        for line in sandbox.listeners.lines() if sandbox.listeners is not None else ():
            print_result(line)
        for client in sandbox.spec.identity.clients if sandbox.spec.identity is not None else ():
            shown = [f"{name} {value}" for name, value in client.attributes.items()]
            shown += [f"role {role}" for role in client.roles]
            headers = " ".join(f"-H '{name}: {value}'" for name, value in sandbox.clients.headers(client).items())
            print_result(f"{', '.join(shown)}: {headers}")
        while not stop.wait(_LOOK):
            sandbox.check()


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
