"""The parent's HTTP port: answers probes and metrics for all children, and forwards other requests to one of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import count
from typing import Protocol

from vsr_runtime.server.address import Address, parse_address
from vsr_runtime.server.exposition import METRICS, OPEN_METRICS, accepts_open_metrics

_HEAD = 64 << 10
"""Bytes of a request's head at most."""
_TIMEOUT = 5.0
"""Seconds for a head to arrive, and for a local answer."""
_LONGEST = 60.0
"""Seconds that a forwarded request may take."""


class Upstream(Protocol):
    """The children behind the port."""

    @property
    def ready(self) -> bool:
        """Whether all accept requests."""

    @property
    def http(self) -> Sequence[str]:
        """The HTTP addresses of those that accept requests."""

    async def metrics(self, *, exemplars: bool = False) -> bytes:
        """The combined metrics of all; with ``exemplars`` in OpenMetrics."""


class HttpProxy:
    """The listener."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._turns = count()

    async def listen(self, address: Address) -> asyncio.Server:
        """Listen.

        Raises:
            OSError: the address cannot be bound.
        """
        return await asyncio.start_server(self._converse, address.host, address.port, limit=_HEAD)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close. Slow or malformed requests are dropped."""
        with suppress(OSError, ValueError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(_TIMEOUT):
                head = await reader.readuntil(b"\r\n\r\n")
                answer = await self._own(head)
                if answer is not None:
                    writer.write(answer)
                    await writer.drain()
            if answer is None:
                async with asyncio.timeout(_LONGEST):
                    await self._pass_on(head, reader, writer)
        writer.close()

    async def _own(self, head: bytes) -> bytes | None:
        """The local answer; None for a request to forward."""
        method, path, *_ = head.decode("latin-1").split(None, 2)
        path = path.partition("?")[0]
        own = path in ("/healthz", "/readyz", "/metrics")
        if own and method not in ("GET", "HEAD"):
            return _page("405 Method Not Allowed", b"GET or HEAD\n", more="Allow: GET, HEAD\r\n")
        if path == "/metrics":
            exemplars = accepts_open_metrics(_header(head, b"accept"))
            kind = OPEN_METRICS if exemplars else METRICS
            return _page("200 OK", await self._upstream.metrics(exemplars=exemplars), kind, body=method == "GET")
        if path == "/readyz" and not self._upstream.ready:
            return _page("503 Service Unavailable", b"not ready\n", body=method == "GET")
        if own:
            return _page("200 OK", b"ok\n", body=method == "GET")
        return None if self._upstream.http else _page("503 Service Unavailable", b"not ready\n", body=method != "HEAD")

    async def _pass_on(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Forward a request to the children in turn."""
        upstream = self._upstream.http
        where = parse_address(upstream[next(self._turns) % len(upstream)])
        from_worker, to_worker = await asyncio.open_connection(where.host, where.port)
        to_worker.write(head)
        ways = [asyncio.ensure_future(_copy(reader, to_worker)), asyncio.ensure_future(_copy(from_worker, writer))]
        try:  # a child keeps connections open, so notice here that a client has gone
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            to_worker.close()


def _header(head: bytes, name: bytes) -> str:
    """Return the values of a header of a request, joined by commas; empty if there is none."""
    fields = (line.partition(b":") for line in head.split(b"\r\n")[1:])
    return ",".join(value.decode("latin-1") for key, _, value in fields if key.strip().lower() == name)


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(_HEAD):
        target.write(data)
        await target.drain()


def _page(status: str, data: bytes, kind: str = "text/plain", *, body: bool = True, more: str = "") -> bytes:
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n{more}Connection: close\r\n\r\n"
    )
    return head.encode() + (data if body else b"")
