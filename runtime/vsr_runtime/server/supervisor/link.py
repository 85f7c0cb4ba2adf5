"""The line between a parent and a child process: the parent asks, the child says how it is and what it counted."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from contextlib import suppress

import msgspec

from vsr_runtime.server.counters import State

LINK = "VSR_WORKER_LINK"
"""The number of the file that is a child's end of the line."""
PORT = "VSR_WORKER_PORT"
"""The port that all children listen on."""
BROKER = "VSR_ENGINE_BROKER"
"""The socket at which a child asks for the engine that all of them share."""
LONGEST = 16 << 20
"""Bytes of what a child says at most."""


class ChildReport(msgspec.Struct, frozen=True):
    """What a child says of itself.

    Attributes:
        serving: whether a request that came now would be decided.
        http: where it answers HTTP, ``host:port`` on loopback.
        state: what it counted.
    """

    serving: bool
    http: str
    state: State


def is_child() -> bool:
    """Whether a parent has started this process as one of several."""
    return LINK in os.environ


async def answer(say: Callable[[], ChildReport], stop: asyncio.Event) -> None:
    """Answer the parent until it is gone; then this process is to stop, too."""
    end = socket.socket(fileno=int(os.environ[LINK]))
    reader, writer = await asyncio.open_unix_connection(sock=end)
    with suppress(OSError):
        while await reader.readline():
            writer.write(msgspec.json.encode(say()) + b"\n")
            await writer.drain()
    stop.set()
