"""The link between the parent and a child process: the parent asks, the child reports its state and its counts."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress

import msgspec

from vsr_runtime.server.counters import State

LINK = "VSR_WORKER_LINK"
"""The environment variable with the file descriptor of the child's end of the link."""
PORT = "VSR_WORKER_PORT"
"""The environment variable with the port that all children listen on."""
BROKER = "VSR_ENGINE_BROKER"
"""The environment variable with the socket that leases the shared engine."""
WORKERS = "VSR_WORKER_COUNT"
"""The environment variable with the number of children."""
LONGEST = 16 << 20
"""Bytes of a report at most."""


class ChildReport(msgspec.Struct, frozen=True):
    """A child's report.

    Attributes:
        serving: whether a request would be decided now.
        http: the child's HTTP address on loopback, ``host:port``.
        state: its counts.
    """

    serving: bool
    http: str
    state: State


def is_child() -> bool:
    """Whether a supervisor started this process."""
    return LINK in os.environ


def workers() -> int:
    """Return how many processes serve one address together."""
    return int(os.environ.get(WORKERS, "1")) if is_child() else 1


async def answer(say: Callable[[], ChildReport], stop: asyncio.Event) -> None:
    """Answer the parent's questions until it is gone; then set ``stop``."""
    end = socket.socket(fileno=int(os.environ[LINK]))
    reader, writer = await asyncio.open_unix_connection(sock=end)
    with suppress(OSError):
        while await reader.readline():
            writer.write(msgspec.json.encode(say()) + b"\n")
            await writer.drain()
    stop.set()
