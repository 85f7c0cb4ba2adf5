"""A thread pool for the event loop whose queue is never longer than what can be done in time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

_WEIGHT = 0.2
"""Weight of the latest measurement in the estimate."""
_OUTLIER = 4.0
"""A measurement counts for at most this many times the estimate, so that one slow task does not shed those behind
it."""


class OverloadedError(Exception):
    """The work would not be done in time, or too much is queued."""


class ThreadPool:
    """A few threads and their queue.

    Args:
        name: the threads' name.
        threads: how many.
        max_pending: tasks that may run or wait at a time.
    """

    def __init__(self, name: str, *, threads: int, max_pending: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._threads = threads
        self._max_pending = max_pending
        self._lock = threading.Lock()
        self._pending = 0
        self._units = 0
        self._rate = 0.0
        self._moved = time.monotonic()

    @property
    def rate(self) -> float:
        """Estimated seconds per unit of work."""
        return self._rate

    @property
    def stalled(self) -> float:
        """Seconds since something was finished, if there is work."""
        with self._lock:
            return time.monotonic() - self._moved if self._pending else 0.0

    async def run(self, until: float, units: int, work: Callable[[], Result]) -> Result:
        """Run work in a thread until a time of the event loop's clock.

        A caller that is cancelled leaves the queue: work that nobody waits for is not started.

        Args:
            until: the time.
            units: the amount of work, in any unit that the callers of one pool share.
            work: the function.

        Raises:
            OverloadedError: by the estimate it would be too late, or too much is queued.
            TimeoutError: it was not done in time.
        """
        self._admit(until - asyncio.get_running_loop().time(), units)
        try:
            future = self._pool.submit(self._timed, units, work)
        except BaseException:
            self._leave(units)
            raise
        # A running thread cannot be stopped: its work counts as pending until it is done, and is discounted
        # before the caller gets the result.
        future.add_done_callback(lambda done: self._leave(units) if done.cancelled() else None)
        return await _wait(future, until)

    def close(self) -> None:
        """Reject new work and drop queued work."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _admit(self, left: float, units: int) -> None:
        with self._lock:
            # An empty queue always accepts work: otherwise one slow spell would shed everything after it.
            late = self._pending > 0 and (self._units / self._threads + units) * self._rate > left
            if late or self._pending >= self._max_pending:
                raise OverloadedError
            if not self._pending:
                self._moved = time.monotonic()
            self._pending += 1
            self._units += units

    def _leave(self, units: int) -> None:
        with self._lock:
            self._moved = time.monotonic()
            self._pending -= 1
            self._units -= units

    def _timed(self, units: int, work: Callable[[], Result]) -> Result:
        begun = time.perf_counter()
        try:
            return work()
        finally:
            self._learn((time.perf_counter() - begun) / max(units, 1))
            self._leave(units)

    def _learn(self, measured: float) -> None:
        with self._lock:
            before = self._rate
            bounded = min(measured, before * _OUTLIER) if before else measured
            self._rate = before + (bounded - before) * (_WEIGHT if before else 1)


async def _wait(future: Future[Result], until: float) -> Result:
    async with asyncio.timeout_at(until):
        return await asyncio.wrap_future(future)
