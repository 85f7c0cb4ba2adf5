"""Answers health checks and scrapes: grpc.health.v1 on the gRPC port, probes and ``/metrics`` over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc

from runtime.serve.messages import (
    EXT_PROC_SERVICE,
    HEALTH_SERVICE,
    NOT_SERVING,
    SERVING,
    HealthCheckRequest,
    HealthCheckResponse,
)

PLAIN = "text/plain"
METRICS = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""
_TIMEOUT = 5.0
_MAX_LINES = 100


class Health:
    """Whether requests are taken. Not at first: a classifier may have to be loaded and warmed.

    ``working`` is asked each time, too: an engine that is gone or stuck makes the server unready, not dead.

    Args:
        metrics: gives the page ``/metrics``; empty by default.
    """

    def __init__(self, metrics: Callable[[], bytes] = bytes) -> None:
        self.ready = False
        self.working: Callable[[], bool] = lambda: True
        self._metrics = metrics

    def handler(self) -> Any:  # noqa: ANN401 - grpc ships no types
        """The gRPC handler of ``grpc.health.v1.Health/Check``."""
        method = grpc.unary_unary_rpc_method_handler(
            self._check, HealthCheckRequest.FromString, HealthCheckResponse.SerializeToString
        )
        return grpc.method_handlers_generic_handler(HEALTH_SERVICE, {"Check": method})

    async def _check(self, request: Any, context: Any) -> Any:  # noqa: ANN401 - grpc ships no types
        if request.service not in ("", EXT_PROC_SERVICE):
            await context.abort(grpc.StatusCode.NOT_FOUND, "no such service")
        return HealthCheckResponse(status=SERVING if self.ready and self.working() else NOT_SERVING)

    async def serve_http(self, host: str, port: int) -> asyncio.Server:
        """Listen for probes.

        Raises:
            OSError: the address cannot be bound.
        """
        return await asyncio.start_server(self._converse, host, port, limit=8192)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close. Whoever is slow or sends nonsense is dropped."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                line = await _request_line(reader)
                writer.write(self._respond(line))
                await writer.drain()
        except (TimeoutError, OSError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass  # a probe that broke off: there is nobody to tell
        finally:
            writer.close()

    def _respond(self, line: str) -> bytes:
        method, _, rest = line.partition(" ")
        path = rest.partition(" ")[0].partition("?")[0]
        status, kind, data = self._page(method, path)
        allow = "Allow: GET, HEAD\r\n" if status.startswith("405") else ""
        head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(data)}\r\n{allow}"
        return f"{head}Connection: close\r\n\r\n".encode() + (b"" if method == "HEAD" else data)

    def _page(self, method: str, path: str) -> tuple[str, str, bytes]:
        """Status, content type and body."""
        if path not in ("/healthz", "/readyz", "/metrics"):
            return "404 Not Found", PLAIN, b"not found\n"
        if method not in ("GET", "HEAD"):
            return "405 Method Not Allowed", PLAIN, b"GET or HEAD\n"
        if path == "/metrics":
            return "200 OK", METRICS, self._metrics()
        if path == "/readyz" and not (self.ready and self.working()):
            return "503 Service Unavailable", PLAIN, b"not ready\n"
        return "200 OK", PLAIN, b"ok\n"


async def _request_line(reader: asyncio.StreamReader) -> str:
    """The first line, after the head was read to its end, so that closing does not reset the connection."""
    first = (await reader.readuntil(b"\n")).decode("latin-1").strip()
    for _ in range(_MAX_LINES):
        if not (await reader.readuntil(b"\n")).strip():
            return first
    raise ValueError("too many headers")
