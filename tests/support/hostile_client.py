"""Hostile clients of a gateway, and the others who have to be served meanwhile. Everything is bounded."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from time import monotonic

from support.bare_client import PREFACE, Fields, begin, frame, literal, settings

ATTACKER, OTHER = "127.0.0.2", "127.0.0.1"
"""Addresses of the loopback interface: to a gateway, two clients."""
SETTINGS_ACK = frame(4, 1, 0)
MOST = 30.0
"""Seconds for one answer."""


def address_of(url: str) -> tuple[str, int]:
    """The host and port of a gateway."""
    host, _, port = url.removeprefix("http://").partition(":")
    return host, int(port)


def post(path: str = "/v1/chat/completions") -> Fields:
    """The headers of a request with a body."""
    return (
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "x"),
        ("content-type", "application/json"),
    )


def chat(text: str, model: str = "auto", **more: object) -> bytes:
    """The body of a request."""
    return json.dumps({"model": model, "messages": [{"role": "user", "content": text}], **more}).encode()


@asynccontextmanager
async def half_open(url: str, connections: int, streams: int, source: str = ATTACKER) -> AsyncIterator[None]:
    """HTTP/2 connections with requests whose headers have arrived and whose bodies never will."""
    opened: list[asyncio.StreamWriter] = []
    readers: list[asyncio.Task[None]] = []
    try:
        for _ in range(connections):
            reader, writer = await asyncio.open_connection(*address_of(url), local_addr=(source, 0))
            writer.write(PREFACE + settings({}) + SETTINGS_ACK)
            writer.write(b"".join(begin(1 + 2 * number, post()) for number in range(streams)))
            await writer.drain()
            opened.append(writer)
            readers.append(asyncio.ensure_future(_discard(reader)))
        yield
    finally:
        for task in readers:
            task.cancel()
        for writer in opened:
            writer.close()


async def _discard(reader: asyncio.StreamReader) -> None:
    with suppress(OSError):
        while await reader.read(1 << 16):
            pass


async def request(url: str, body: bytes, source: str = OTHER, path: str = "/v1/chat/completions") -> tuple[int, bytes]:
    """Status and body of the answer to one request on a connection of its own; status 0 without an answer."""
    writer = None
    try:
        async with asyncio.timeout(MOST):
            reader, writer = await asyncio.open_connection(*address_of(url), local_addr=(source, 0))
            head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\n"
            writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
            answer = await reader.read()
    except (OSError, TimeoutError):
        return 0, b""
    finally:
        if writer:
            writer.close()
    head, _, content = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]) if head.startswith(b"HTTP/1.1 ") else 0, content


class Others:
    """Other clients: small requests, one after the other, on several connections.

    Attributes:
        times: seconds of each answer.
        statuses: how often each status was the answer; 0 for none.
    """

    def __init__(self, url: str, clients: int = 4, body: bytes | None = None, source: str = OTHER) -> None:
        self.times: list[float] = []
        self.statuses: Counter[int] = Counter()
        self._url, self._clients, self._source = url, clients, source
        self._body = body or chat("hello")

    async def run(self, seconds: float) -> None:
        """Send requests for some time."""
        until = monotonic() + seconds
        await asyncio.gather(*(self._loop(lambda _: monotonic() < until) for _ in range(self._clients)))

    async def send(self, requests: int) -> None:
        """Send so many requests, however long it takes."""
        each = requests // self._clients
        await asyncio.gather(*(self._loop(lambda sent: sent < each) for _ in range(self._clients)))

    async def _loop(self, goes_on: Callable[[int], bool]) -> None:
        sent = 0
        while goes_on(sent):
            begun = monotonic()
            status, _ = await request(self._url, self._body, self._source)
            self.times.append(monotonic() - begun)
            self.statuses[status] += 1
            sent += 1
            await asyncio.sleep(0.01)

    @property
    def success(self) -> float:
        """The part of requests that were answered with 200."""
        return self.statuses[200] / max(1, self.statuses.total())

    def quantile(self, part: float) -> float:
        """Seconds that this part of the answers took at most."""
        return quantile(self.times, part)


def quantile(values: Sequence[float], part: float) -> float:
    """The value that this part of some values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


__all__ = ["ATTACKER", "OTHER", "Others", "address_of", "chat", "half_open", "literal", "post", "quantile", "request"]
