"""What several chaos tests share: who answers, a second runtime, and clients that keep sending."""

from __future__ import annotations

import threading

from support.gateway_client import ANY_TIME, events
from support.runtime_fakes import DATA
from vsr_runtime.sandbox.process import Process

RUNTIME = "the runtime"


PHI, LLAMA = ("phi4-mini", "phi4-mini"), ("llama-8b", "llama3-8b")


def address(lines: list[str]) -> str:
    """Where the runtime of a sandbox listens, as it logged."""
    return events(lines, "serving")[0]["address"]


class Second:
    """Another runtime on the address of the sandbox's own."""

    def __init__(self, where: str, serve: tuple[str, ...], config=DATA / "router" / "config.yaml") -> None:
        self.serving = threading.Event()
        options = ("--config", str(config), "--address", where, "--http-address", "127.0.0.1:0")
        self.process = Process("second", (*serve, *options), lambda line: "serving" in line and self.serving.set())

    def __enter__(self):
        assert self.serving.wait(ANY_TIME), self.process.last_lines()
        return self.process

    def __exit__(self, *_) -> None:
        self.process.stop()
