"""The HTTP port: probes, metrics and, if enabled, the API."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.server.health import NOT_FOUND, Health

if TYPE_CHECKING:
    from aiohttp import web

KEEP_ALIVE = 30.0
"""Seconds that a connection may be idle, or take to send a request line and headers."""
CLOSE = 1.0
"""Seconds for running requests when the port is closed, and for reading the rest of a rejected body."""


@dataclass(frozen=True)
class Incoming:
    """An HTTP request whose body has not been read. Names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: tuple[tuple[str, str], ...]
    chunks: AsyncIterator[bytes]


class Api(Protocol):
    """Answers the paths that `Health` does not."""

    async def answer(self, request: Incoming) -> ImmediateResponse:
        """Answer a request; errors are answers, too."""

    def close(self) -> None:
        """Free resources."""


class HttpPort:
    """A port that answers probes, scrapes and the API.

    Args:
        health: answers probes and scrapes.
        api: answers everything else; None for no API.

    Attributes:
        port: the port that was bound.
    """

    def __init__(self, health: Health, api: Api | None = None) -> None:
        self._health = health
        self._api = api
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def listen(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one.

        Raises:
            OSError: the address cannot be bound.
        """
        from aiohttp import web  # noqa: PLC0415 - takes 0.1 s

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        silent = logging.Logger("vsr.http")  # noqa: LOG001 - unregistered, so that nothing of a request is printed
        silent.addHandler(logging.NullHandler())
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=silent,
            auto_decompress=False,
            keepalive_timeout=KEEP_ALIVE,
            handler_cancellation=True,
            lingering_time=CLOSE,
            shutdown_timeout=CLOSE,
        )
        await self._runner.setup()
        try:
            await web.TCPSite(self._runner, host, port).start()
        except BaseException:
            await self.close()
            raise
        self.port = int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Accept no more connections, and close the open ones."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._api is not None:
            self._api.close()

    async def _handle(self, request: web.Request) -> web.Response:
        from aiohttp import web  # noqa: PLC0415 - as above

        answer = self._health.page(request.method, request.path, request.headers.get("Accept", ""))
        if answer is None:
            answer = await self._api.answer(_incoming(request)) if self._api else NOT_FOUND
        # The unread rest of a body would be taken for the next request.
        headers = {"Server": "vsr-runtime", **dict(answer.headers)}
        response = web.Response(status=answer.status, body=answer.body, headers=headers)
        if not request.content.at_eof():
            response.force_close()
        return response


def _incoming(request: web.Request) -> Incoming:
    headers = tuple((name.lower(), value) for name, value in request.headers.items())
    return Incoming(request.method, request.path, dict(request.query), headers, request.content.iter_any())
