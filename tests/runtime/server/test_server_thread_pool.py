from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future

import pytest

from vsr_runtime.server.thread_pool import OverloadedError, ThreadPool

SOON = 30.0


class Blocker:
    """Work that waits until it is let go."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)

    def __call__(self) -> str:
        """Wait."""
        self.begun.release()
        assert self.go.wait(30)
        return "done"


def run(scenario, **bounds):
    """Run a scenario against workers in an event loop of its own."""

    async def whole():
        workers = ThreadPool("test", **{"threads": 1, "max_pending": 10} | bounds)
        try:
            return await scenario(workers, asyncio.get_running_loop())
        finally:
            workers.close()

    return asyncio.run(whole())


def slow(workers: ThreadPool, seconds: float) -> None:
    """Make the workers believe that a unit takes this long."""
    workers._rate = seconds


def test_work_is_done_and_measured():
    """The result comes back, and the time that it took becomes the estimate."""

    async def scenario(workers, loop):
        return await workers.run(loop.time() + SOON, 1, lambda: 7), workers.rate

    result, rate = run(scenario)
    assert result == 7
    assert rate > 0


def test_errors_come_back():
    """What the work raises is raised here, and its place is free again."""

    async def scenario(workers, loop):
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await workers.run(loop.time() + SOON, 1, lambda: 1 // 0)
        return workers._pending, workers._units

    assert run(scenario, max_pending=1) == (0, 0)


def test_place_is_free_before_anybody_hears_of_the_end(monkeypatch):
    """Who asks again at once is not refused for the work that has just ended, whenever its thread goes on."""
    held = Blocker()
    wrap, invoke = asyncio.wrap_future, Future._invoke_callbacks

    def ended(future):
        held.go.set()
        future.result()
        return wrap(future)

    monkeypatch.setattr(asyncio, "wrap_future", ended)
    monkeypatch.setattr(Future, "_invoke_callbacks", lambda self: (time.sleep(0.05), invoke(self)))

    async def scenario(workers, loop):
        await workers.run(loop.time() + SOON, 1, held)
        return workers._pending, workers._units

    assert run(scenario) == (0, 0)


def test_what_would_be_late_is_not_taken():
    """Work behind other work is refused at once if by the estimate its turn ends after its deadline."""
    held = Blocker()

    async def scenario(workers, loop):
        slow(workers, 100.0)
        first = asyncio.ensure_future(workers.run(loop.time() + SOON, 5, held))
        await asyncio.to_thread(held.begun.acquire)
        with pytest.raises(OverloadedError):
            await workers.run(loop.time() + 690, 2, lambda: "late")
        in_time = asyncio.ensure_future(workers.run(loop.time() + 790, 2, lambda: "in time"))
        await asyncio.sleep(0)
        held.go.set()
        return await asyncio.gather(first, in_time)

    assert run(scenario) == ["done", "in time"]


def test_two_threads_are_twice_as_fast():
    """The estimate counts what all threads do together."""
    held = Blocker()

    async def scenario(workers, loop):
        slow(workers, 100.0)
        first = asyncio.ensure_future(workers.run(loop.time() + SOON, 5, held))
        await asyncio.to_thread(held.begun.acquire)
        second = await workers.run(loop.time() + 500, 2, lambda: "in time")
        held.go.set()
        return await first, second

    assert run(scenario, threads=2) == ("done", "in time")


def test_idle_workers_always_try():
    """However slow they were, workers that have nothing to do take what comes, and learn that they are fast again."""

    async def scenario(workers, loop):
        slow(workers, 1000.0)
        for _ in range(80):
            await workers.run(loop.time() + SOON, 1, lambda: 1)
        return workers.rate

    assert run(scenario) < 1


def test_one_slow_piece_of_work_is_not_the_rule():
    """An outlier changes the estimate by a part of itself only."""

    async def scenario(workers, _):
        slow(workers, 0.001)
        workers._learn(10.0)
        return workers.rate

    assert run(scenario) == pytest.approx(0.0016)


def test_number_of_what_waits_is_bounded():
    """Beyond the bound nothing is taken, however fast the work is."""
    held = Blocker()

    async def scenario(workers, loop):
        tasks = [asyncio.ensure_future(workers.run(loop.time() + SOON, 1, held)) for _ in range(2)]
        await asyncio.to_thread(held.begun.acquire)
        with pytest.raises(OverloadedError):
            await workers.run(loop.time() + SOON, 1, held)
        held.go.set()
        return await asyncio.gather(*tasks)

    assert run(scenario, max_pending=2) == ["done", "done"]


def test_deadline_ends_the_wait():
    """What is not done in time is a timeout for whoever waits; its thread is free again only when it is through."""
    held = Blocker()

    async def scenario(workers, loop):
        waits = asyncio.ensure_future(workers.run(loop.time() + 0.05, 3, held))
        await asyncio.sleep(0)
        held.begun.acquire()  # in the event loop's own thread, so that nothing is late before it has begun
        with pytest.raises(TimeoutError):
            await waits
        before = workers._units
        held.go.set()
        await workers.run(loop.time() + SOON, 1, lambda: None)
        return before, workers._units

    assert run(scenario) == (3, 0)


def test_stall_is_the_time_without_an_end_while_there_is_work():
    """Idle workers never stall; busy ones do until something is through."""
    held = Blocker()

    async def scenario(workers, loop):
        idle = workers.stalled
        first = asyncio.ensure_future(workers.run(loop.time() + SOON, 1, held))
        await asyncio.to_thread(held.begun.acquire)
        workers._moved -= 100.0
        busy = workers.stalled
        held.go.set()
        await first
        return idle, busy >= 100.0, workers.stalled

    assert run(scenario) == (0.0, True, 0.0)
