"""A thread pool for the event loop whose queue is never longer than what can be done in time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from vsr_runtime.server.clients import CLIENT, UNKNOWN, FairShares
from vsr_runtime.server.fair_queue import FairQueue, Work

Result = TypeVar("Result")

_WEIGHT = 0.2
"""Weight of the latest measurement in the estimate."""
_OUTLIER = 4.0
"""A measurement counts for at most this many times the estimate, so that one slow task does not shed those behind
it."""


class OverloadedError(Exception):
    """The work would not be done in time, or too much is queued."""


class ThreadPool:
    """A few threads and their queue. Clients take turns, and have their share of what may wait.

    Args:
        name: the threads' name.
        threads: how many.
        max_pending: tasks that may run or wait at a time.
        most: threads that work for one client at a time; all if None.
    """

    def __init__(self, name: str, *, threads: int, max_pending: int, most: int | None = None) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._threads = threads
        self._most = most or threads
        self._max_pending = max_pending
        self._lock = threading.Lock()
        self._queue = FairQueue(self._most)
        self._shares = FairShares()
        self._running = 0
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
            return time.monotonic() - self._moved if self._shares.total else 0.0

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
        task = Work(CLIENT.get(), units, work)
        self._admit(until - asyncio.get_running_loop().time(), task)
        try:
            self._pool.submit(self._work)
            return await _wait(task.future, until)
        finally:
            # A running thread cannot be stopped: its work counts as pending until it is done, and is discounted
            # before the caller gets the result.
            if task.future.cancel():
                self._forget(task)

    def close(self) -> None:
        """Reject new work and drop queued work."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        with self._lock:
            waiting = self._queue.clear()
        for task in waiting:
            task.future.cancel()

    def _admit(self, left: float, task: Work) -> None:
        client = task.client
        with self._lock:
            # What can begin at once is always accepted: otherwise one slow spell would shed everything after it.
            begins = self._shares.used(client) < self._most and self._shares.up_to(self._most) < self._threads
            late = (
                not begins
                and ((self._running + self._queue.ahead(client)) / self._most + task.units) * self._rate > left
            )
            full = self._shares.total >= self._max_pending
            if late or full or (client != UNKNOWN and self._shares.over(client, self._max_pending)):
                raise OverloadedError
            if not self._shares.total:
                self._moved = time.monotonic()
            self._shares.add(client, 1)
            self._units += task.units
            self._queue.push(task)

    def _forget(self, task: Work) -> None:
        """Drop work that nobody waits for."""
        with self._lock:
            self._queue.remove(task)
        self._leave(task)

    def _leave(self, task: Work) -> None:
        with self._lock:
            self._moved = time.monotonic()
            self._shares.add(task.client, -1)
            self._units -= task.units

    def _work(self) -> None:
        """Do what waits, as long as there is something that may run."""
        while True:
            with self._lock:
                task = self._queue.pop()
                if task is None:
                    return
                self._running += task.units
            if task.future.set_running_or_notify_cancel():
                self._timed(task)
            with self._lock:
                self._queue.end(task)
                self._running -= task.units

    def _timed(self, task: Work) -> None:
        begun = time.perf_counter()
        try:
            result = task.call()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is raised where the result is awaited
            self._ended(task, begun)
            task.future.set_exception(error)
            del task  # its error refers to this frame
        else:
            self._ended(task, begun)
            task.future.set_result(result)

    def _ended(self, task: Work, begun: float) -> None:
        self._learn((time.perf_counter() - begun) / max(task.units, 1))
        self._leave(task)

    def _learn(self, measured: float) -> None:
        with self._lock:
            before = self._rate
            bounded = min(measured, before * _OUTLIER) if before else measured
            self._rate = before + (bounded - before) * (_WEIGHT if before else 1)


async def _wait(future: Future[Result], until: float) -> Result:
    async with asyncio.timeout_at(until):
        return await asyncio.wrap_future(future)
