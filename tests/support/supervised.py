"""A parent process with two workers, and the reading of its log."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager

from support.runtime_fakes import DATA

CONFIG = DATA / "router/config.yaml"


@contextmanager
def supervised(*more: str, config=CONFIG, program=(str(DATA.parent / "runtime_fakes.py"),)):
    """A parent with two workers; yields it and reads its log until it is serving or has ended."""
    options = ["--config", str(config), "--address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--workers", "2"]
    options += more
    with subprocess.Popen([sys.executable, *program, *options], stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.stderr.read()


def until(process, event: str) -> list[dict]:
    """The records of the log up to the first of a kind."""
    found: list[dict] = []
    while not found or found[-1]["event"] != event:
        line = process.stderr.readline()
        assert line, found
        if line.startswith("{"):
            found.append(json.loads(line))
    return found
