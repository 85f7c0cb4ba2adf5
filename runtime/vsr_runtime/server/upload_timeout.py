"""Ends streams whose request does not arrive: one timer for all, because one per request would cost too much."""

from __future__ import annotations

import asyncio
from time import monotonic
from typing import Any

from vsr_runtime.decision.request.events import ImmediateResponse
from vsr_runtime.decision.request.immediate_responses import error_response

UPLOAD = 60.0
"""Seconds for a body to arrive. Gateways wait as long as anything arrives, and the number of streams is bounded."""

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
        """The request has arrived, or the stream has ended."""
        self._waiting.pop(task, None)
        self._late.discard(task)

    def lost(self, task: _Task) -> bool:
        """Whether a cancelled task was cancelled by this timeout."""
        return task in self._late

    def _look(self) -> None:
        """Cancel late tasks, and schedule the next check."""
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
    """The answer 408."""
    return error_response(408, "upload_timeout", f"The body did not come within {UPLOAD:.0f} s.")
