"""A real Valkey or Redis for tests, and one with a search module as far as the cache uses it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from support.common import required


def program() -> str:
    """The server's program."""
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    required(found, "valkey-server or redis-server")
    return str(found)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def store(folder: Path, *options: str, port: int | None = None) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run a server that keeps nothing on disk; yields its port and its process."""
    port = port or free_port()
    if not any(option == "--tls-port" for option in options):
        options = ("--port", str(port), *options)
    command = [program(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 20
            while not _open(port):
                assert process.poll() is None, "the server ended"
                assert time.monotonic() < deadline, "the server does not listen"
                time.sleep(0.02)
            yield port, process
        finally:
            process.kill()


def _open(port: int) -> bool:
    with socket.socket() as caller:
        caller.settimeout(1)
        return caller.connect_ex(("127.0.0.1", port)) == 0


class Searching:
    """A client whose server has a search module: the commands of the cache, computed from the stored hashes."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._prefix: str | None = None
        self.queries: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def execute_command(self, *command: Any) -> Any:
        """`FT.CREATE` and `FT.SEARCH`; everything else goes to the server."""
        if command[0] == "FT.CREATE":
            assert command[2:6] == ("ON", "HASH", "PREFIX", "1")
            self._prefix = command[6]
            return b"OK"
        if command[0] != "FT.SEARCH":
            return await self._client.execute_command(*command)
        query, vector = command[2], np.frombuffer(command[6], np.float32)
        self.queries.append(query)
        group = query.removeprefix("(@group:{").partition("}")[0].encode()
        found = []
        async for name in self._client.scan_iter(match=f"{self._prefix}*"):
            fields = await self._client.hgetall(name)
            if fields[b"group"] == group:
                other = np.frombuffer(fields[b"vector"], np.float32)
                cosine = float(vector @ other / np.linalg.norm(vector) / np.linalg.norm(other))
                found.append((1 - cosine, name))
        reply: list[Any] = [len(found)]
        for distance, name in sorted(found)[:4]:
            reply += [name, [b"distance", repr(distance).encode()]]
        return reply
