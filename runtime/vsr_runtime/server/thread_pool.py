"""Threads beside the event loop, with a queue that is no longer than what can be done in time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

_WEIGHT = 0.2
"""How much the latest measurement counts in the estimate."""
_OUTLIER = 4.0
"""A measurement counts for at most this many times the estimate: one slow piece of work does not shed what follows."""


class OverloadedError(Exception):
    """The work would not be done in time, or too much waits already."""


class ThreadPool:
    """A few threads and what waits for them.

    Args:
        name: what the threads are called.
        threads: how many.
        max_pending: pieces of work that may be in work or wait at a time.
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
        """Seconds that a unit of work takes, as estimated from what was done."""
        return self._rate

    @property
    def stalled(self) -> float:
        """Seconds for which nothing was finished although there is work."""
        with self._lock:
            return time.monotonic() - self._moved if self._pending else 0.0

    async def run(self, until: float, units: int, work: Callable[[], Result]) -> Result:
        """Do work in a thread until a time of the event loop's clock.

        Whoever is cancelled while waiting leaves the queue: nobody computes what nobody waits for.

        Args:
            until: the time.
            units: how much work it is, in a measure of the caller's own that stays the same.
            work: the function.

        Raises:
            OverloadedError: by the estimate it would be too late, or too much waits.
            TimeoutError: it was not done in time.
        """
        self._admit(until - asyncio.get_running_loop().time(), units)
        try:
            future = self._pool.submit(self._timed, units, work)
        except BaseException:
            self._leave(units)
            raise
        # A thread that has begun cannot be stopped; its work holds its place until it is through, and gives it back
        # before anybody hears of the end.
        future.add_done_callback(lambda done: self._leave(units) if done.cancelled() else None)
        return await _wait(future, until)

    def close(self) -> None:
        """Take no more work and drop what waits."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _admit(self, left: float, units: int) -> None:
        with self._lock:
            # Where nobody waits there is always a try: else one slow spell would shed all that comes after it.
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
