"""Ends streams whose request does not come: one timer for all of them, where one for each would cost every request."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.decision.request.immediate_responses import error_response

UPLOAD = 60.0
"""Seconds for a body to come: gateways wait as long as something comes, and streams are a bounded number."""

_Task = asyncio.Task[Any]


class UploadTimeouts:
    """The streams that wait for their request, the oldest first."""

    def __init__(self) -> None:
        self._waiting: dict[_Task, float] = {}
        self._late: set[_Task] = set()
        self._timed = False

    def begin(self, task: _Task) -> None:
        """A stream has begun; its task is cancelled unless `end` is called in time."""
        self._waiting[task] = monotonic()
        if not self._timed:
            self._look_in(UPLOAD)

    def end(self, task: _Task) -> None:
        """The request has come, or the stream has gone."""
        self._waiting.pop(task, None)
        self._late.discard(task)

    def lost(self, task: _Task) -> bool:
        """Whether a task that was cancelled was cancelled for that."""
        return task in self._late

    def _look(self) -> None:
        """Cancel who is late, and come back when the next one would be."""
        self._timed = False
        now = monotonic()
        for task, begun in list(self._waiting.items()):
            if begun + UPLOAD > now:
                self._look_in(begun + UPLOAD - now)
                return
            del self._waiting[task]
            self._late.add(task)
            task.cancel()

    def _look_in(self, seconds: float) -> None:
        self._timed = True
        asyncio.get_running_loop().call_later(seconds, self._look)


def too_slow() -> ImmediateResponse:
    """408."""
    return error_response(408, "upload_timeout", f"The body did not come within {UPLOAD:.0f} s.")
