"""The HTTP client of one server: a bounded pool of connections, bounded answers, no redirects, no cookies."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from vsr_runtime.server.detectors.errors import RefusedTextError, WrongAnswerError

if TYPE_CHECKING:
    from aiohttp import ClientResponse, ClientSession

MAX_ANSWER = 4 << 20
"""Bytes of an answer."""
OK = 200
REFUSED = frozenset({400, 413, 422})
"""Statuses by which servers refuse the text itself. Clients choose the text, so it must not pass for that."""
IDLE = 10.0
"""Seconds that an unused connection is kept."""
ENCODER = msgspec.json.Encoder()


class HttpClient:
    """A client. It connects when it is first used.

    Args:
        url: of all requests.
        headers: sent with each request.
        connections: at a time.
        tls: checks the server's certificate; None for the system's authorities.
    """

    def __init__(self, url: str, headers: Mapping[str, str], connections: int, tls: ssl.SSLContext | None) -> None:
        self._url = url
        self._headers = {"content-type": "application/json", "accept": "application/json", **headers}
        self._headers["accept-encoding"] = "identity"
        self._connections = connections
        self._tls = tls
        self._session: ClientSession | None = None
        self._closing: asyncio.Task[None] | None = None
        self._closed = False

    async def post(self, body: object) -> bytes:
        """Send JSON and return the answer. A connection that the server has closed meanwhile is replaced once.

        Raises:
            RefusedTextError: the server refuses the text.
            WrongAnswerError: it answers with another status, or with too many bytes.
            OSError: it cannot be reached.
        """
        from aiohttp import ClientError, ServerDisconnectedError  # noqa: PLC0415 - takes 0.1 s; only for servers

        data = ENCODER.encode(body)
        try:
            try:
                return await self._send(data)
            except (ServerDisconnectedError, ConnectionResetError):
                return await self._send(data)
        except ClientError as error:
            raise ConnectionError(type(error).__name__) from None

    def close(self) -> None:
        """Close the connections."""
        self._closed = True
        if self._session is not None:
            self._closing = asyncio.ensure_future(self._session.close())
            self._session = None

    async def _send(self, data: bytes) -> bytes:
        async with self._opened().post(self._url, data=data, headers=self._headers, allow_redirects=False) as response:
            if response.status in REFUSED:
                raise RefusedTextError(f"status {response.status}")
            if response.status != OK:
                raise WrongAnswerError(f"status {response.status}")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise WrongAnswerError("the answer is compressed")
            return await _bounded(response)

    def _opened(self) -> ClientSession:
        from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector  # noqa: PLC0415 - as above

        if self._closed:
            raise ConnectionError("closed")
        if self._session is None:
            connector = TCPConnector(
                limit=self._connections, ssl=self._tls or True, keepalive_timeout=IDLE, ttl_dns_cache=30
            )
            self._session = ClientSession(
                connector=connector,
                cookie_jar=DummyCookieJar(),
                timeout=ClientTimeout(total=None),  # that of the evaluation applies
                auto_decompress=False,
                trust_env=False,
            )
        return self._session


async def _bounded(response: ClientResponse) -> bytes:
    """Read an answer.

    Raises:
        WrongAnswerError: it is too long.
    """
    parts: list[bytes] = []
    size = 0
    async for part in response.content.iter_any():
        size += len(part)
        if size > MAX_ANSWER:
            raise WrongAnswerError(f"the answer has more than {MAX_ANSWER} bytes")
        parts.append(part)
    return b"".join(parts)
