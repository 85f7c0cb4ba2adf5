"""The HTTP port: probes, metrics and, where it is asked for, the API."""

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
"""Seconds for which a connection may say nothing, or be busy with a request line and headers."""
CLOSE = 1.0
"""Seconds for requests that are in work when the port is closed, and for what a refused client goes on sending."""


@dataclass(frozen=True)
class Incoming:
    """An HTTP request whose body has not been read. Names of headers are in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: tuple[tuple[str, str], ...]
    chunks: AsyncIterator[bytes]


class Api(Protocol):
    """What answers the paths that are not health's."""

    async def answer(self, request: Incoming) -> ImmediateResponse:
        """Answer; whatever happens, with an answer."""

    def close(self) -> None:
        """Let go of what it holds."""


class HttpPort:
    """A port that answers probes, scrapes and the API.

    Args:
        health: answers probes and scrapes.
        api: answers all else; None for nothing else.

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
        from aiohttp import web  # noqa: PLC0415 - a tenth of a second that only a server has to spend

        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        silent = logging.Logger("vsr.http")  # noqa: LOG001 - belongs to nobody, so that nothing of a request is printed
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
        """Take no more connections, and close those that are open."""
        if self._runner is not None:
            await self._runner.cleanup()
        if self._api is not None:
            self._api.close()

    async def _handle(self, request: web.Request) -> web.Response:
        from aiohttp import web  # noqa: PLC0415 - as above

        answer = self._health.page(request.method, request.path)
        if answer is None:
            answer = await self._api.answer(_incoming(request)) if self._api else NOT_FOUND
        # What was not read of a body would be taken for the next request.
        headers = {"Server": "vsr-runtime", **dict(answer.headers)}
        response = web.Response(status=answer.status, body=answer.body, headers=headers)
        if not request.content.at_eof():
            response.force_close()
        return response


def _incoming(request: web.Request) -> Incoming:
    headers = tuple((name.lower(), value) for name, value in request.headers.items())
    return Incoming(request.method, request.path, dict(request.query), headers, request.content.iter_any())
