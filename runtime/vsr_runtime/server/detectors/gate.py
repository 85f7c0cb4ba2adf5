"""Bounds the concurrent requests to one server; clients take turns, so that one of them delays only itself."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from vsr_runtime.inference.engine.errors import OverloadedError
from vsr_runtime.server.clients import CLIENT, UNKNOWN, FairShares

MAX_WAITING = 1024
"""Requests that may wait for a turn."""


class Gate:
    """The turns at one server.

    Args:
        most: concurrent requests.
        max_waiting: requests that may wait.
    """

    def __init__(self, most: int, max_waiting: int = MAX_WAITING) -> None:
        self._free = most
        self._max_waiting = max_waiting
        self._shares = FairShares()
        self._waiting: OrderedDict[bytes, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it.

        Raises:
            OverloadedError: too many requests wait, or too many of this client.
        """
        await self._enter(CLIENT.get())
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, client: bytes) -> None:
        if self._free and not self._waiting:
            self._free -= 1
            return
        over = client != UNKNOWN and self._shares.over(client, self._max_waiting)
        if self._shares.total >= self._max_waiting or over:
            raise OverloadedError
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(client, deque()).append(turn)
        self._shares.add(client, 1)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave()
            else:
                self._forget(client, turn)
            raise
        finally:
            self._shares.add(client, -1)

    def _leave(self) -> None:
        """Give the turn to the client whose turn it is."""
        while self._waiting:
            client, queue = self._waiting.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._waiting[client] = queue
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

    def _forget(self, client: bytes, turn: asyncio.Future[None]) -> None:
        queue = self._waiting.get(client)
        if queue and turn in queue:
            queue.remove(turn)
            if not queue:
                del self._waiting[client]
