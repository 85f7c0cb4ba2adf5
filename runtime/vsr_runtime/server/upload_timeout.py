"""Ends streams whose request does not arrive, and the oldest of them if too many wait.

One timer serves all, because one per request would cost too much.
"""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.decision.request.immediate_responses import RETRY_AFTER, error_response
from vsr_runtime.server.clients import UNKNOWN
from vsr_runtime.server.transport.stream import MAX_STREAMS
from vsr_schemas.runtime import UPLOAD_SECONDS

UPLOAD = float(UPLOAD_SECONDS)
"""Seconds for a body to arrive. Gateways have the same limit, where they can have one."""
MAX_WAITING = MAX_STREAMS // 4
"""Streams that may wait for their body. One more ends the oldest of the client that has most of them: a gateway opens
a stream as soon as the headers of a request are there, so waiting costs a client nothing."""

_Task = asyncio.Task[Any]


class UploadTimeouts:
    """The streams that wait for their request, the oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[_Task, float] = {}
        self._clients: dict[_Task, bytes] = {}
        self._by_client: dict[bytes, dict[_Task, None]] = {}
        self._late: dict[_Task, ImmediateResponse] = {}
        self._timed = False

    def begin(self, task: _Task) -> None:
        """A stream has begun; its task is cancelled unless `end` is called in time."""
        self._waiting[task] = monotonic()
        self._add(task, UNKNOWN)
        if len(self._by_client[UNKNOWN]) > MAX_WAITING:
            self._cancel(self._oldest_of_most(UNKNOWN), _CROWDED_OUT)
        if not self._timed:
            self._look_in(UPLOAD)

    def assign(self, task: _Task, client: bytes) -> None:
        """The first message of a stream has arrived, and it says for which client the stream is."""
        if task in self._waiting:
            if client != UNKNOWN:
                self._remove(task)
                self._add(task, client)
            if len(self._waiting) > MAX_WAITING:
                self._cancel(self._oldest_of_most(client), _CROWDED_OUT)

    def end(self, task: _Task) -> None:
        """The request has arrived, or the stream has ended."""
        if self._waiting.pop(task, None) is not None:
            self._remove(task)
        if self._late:
            self._late.pop(task, None)

    def lost(self, task: _Task) -> ImmediateResponse | None:
        """The answer to a task that was cancelled here; None if something else cancelled it."""
        return self._late.get(task)

    def _add(self, task: _Task, client: bytes) -> None:
        self._clients[task] = client
        self._by_client.setdefault(client, {})[task] = None

    def _remove(self, task: _Task) -> None:
        client = self._clients.pop(task)
        tasks = self._by_client[client]
        del tasks[task]
        if not tasks:
            del self._by_client[client]

    def _oldest_of_most(self, client: bytes) -> _Task:
        """Return the oldest stream of the client with most of them.

        An attacker's streams are the ones that come, so mostly ``client`` itself has more than its share, and nothing
        has to be searched.
        """
        tasks = self._by_client[client]
        if len(tasks) * len(self._by_client) < 2 * len(self._waiting):
            tasks = max(self._by_client.values(), key=len)
        return next(iter(tasks))

    def _cancel(self, task: _Task, answer: ImmediateResponse) -> None:
        del self._waiting[task]
        self._remove(task)
        self._late[task] = answer
        task.cancel()

    def _look(self) -> None:
        """Cancel late tasks, and schedule the next check."""
        self._timed = False
        now = monotonic()
        for task, begun in list(self._waiting.items()):
            if begun + UPLOAD > now:
                self._look_in(begun + UPLOAD - now)
                return
            self._cancel(task, too_slow())

    def _look_in(self, seconds: float) -> None:
        self._timed = True
        asyncio.get_running_loop().call_later(seconds, self._look)


def too_slow() -> ImmediateResponse:
    """The answer 408."""
    return error_response(408, "upload_timeout", f"The body did not come within {UPLOAD:.0f} s.")


_CROWDED_OUT = error_response(
    503, "uploads_full", "Too many bodies are awaited; send the request again.", headers=(("retry-after", RETRY_AFTER),)
)
