from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import Future

import pytest

from vsr_runtime.server.clients import CLIENT
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
        return workers._shares.total, workers._units

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
        return workers._shares.total, workers._units

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


async def of(client: bytes, work, workers, until: float, units: int = 1):
    """Run work for a client, in a task of its own."""
    CLIENT.set(client)
    return await workers.run(until, units, work)


def test_clients_take_turns():
    """Who sends one piece of work waits for one of the client that sent ten before."""
    held, done = Blocker(), []

    async def scenario(workers, loop):
        first = asyncio.ensure_future(of(b"many", held, workers, loop.time() + SOON))
        await asyncio.to_thread(held.begun.acquire)
        names = [b"many"] * 9 + [b"one", b"two", b"two"]
        tasks = [
            asyncio.ensure_future(of(name, lambda name=name: done.append(name), workers, loop.time() + SOON))
            for name in names
        ]
        await asyncio.sleep(0)
        held.go.set()
        await asyncio.gather(first, *tasks)

    run(scenario, max_pending=100)
    assert done[:5] == [b"many", b"one", b"two", b"many", b"two"]
    assert len(done) == 12


def test_last_thread_is_for_other_clients():
    """However much one client sends, work of another begins at once, also where the estimate is bad."""
    held = Blocker()

    async def scenario(workers, loop):
        slow(workers, 0.1)
        tasks = [asyncio.ensure_future(of(b"many", held, workers, loop.time() + SOON)) for _ in range(6)]
        for _ in range(2):
            await asyncio.to_thread(held.begun.acquire)
        slow(workers, 1000.0)
        other = await of(b"one", lambda: "done", workers, loop.time() + SOON)
        running = held.begun.acquire(blocking=False)
        held.go.set()
        return other, running, await asyncio.gather(*tasks)

    assert run(scenario, threads=3, most=2) == ("done", False, ["done"] * 6)


def test_place_in_the_queue_is_shared():
    """A client has three quarters of the places while it is alone. Unknown clients may have all."""
    held = Blocker()

    async def scenario(workers, loop):
        def add(client):
            return asyncio.ensure_future(of(client, held, workers, loop.time() + SOON))

        tasks = [add(b"many") for _ in range(8)]
        await asyncio.to_thread(held.begun.acquire)
        with pytest.raises(OverloadedError):
            await of(b"many", held, workers, loop.time() + SOON)
        tasks += [add(b"one"), add(b"")]
        await asyncio.sleep(0)
        held.go.set()
        return len(await asyncio.gather(*tasks))

    assert run(scenario) == 10


def test_estimate_counts_only_what_has_its_turn_before():
    """A long queue of one client does not make another's work late."""
    held = Blocker()

    async def scenario(workers, loop):
        tasks = [asyncio.ensure_future(of(b"many", held, workers, loop.time() + SOON)) for _ in range(7)]
        await asyncio.to_thread(held.begun.acquire)
        slow(workers, 100.0)
        with pytest.raises(OverloadedError):
            await of(b"many", held, workers, loop.time() + 390)
        tasks.append(asyncio.ensure_future(of(b"one", held, workers, loop.time() + 390)))
        await asyncio.sleep(0)
        held.go.set()
        return len(await asyncio.gather(*tasks))

    assert run(scenario) == 8


def test_work_that_nobody_waits_for_leaves_its_place():
    """Its client's other work goes on."""
    held = Blocker()

    async def scenario(workers, loop):
        first = asyncio.ensure_future(of(b"a", held, workers, loop.time() + SOON))
        await asyncio.to_thread(held.begun.acquire)
        with pytest.raises(TimeoutError):
            await of(b"b", lambda: "never", workers, loop.time() + 0.01)
        waiting = workers._queue.ahead(b"c"), workers._shares.total
        held.go.set()
        await first
        return waiting, workers._queue._waiting, workers._units

    assert run(scenario) == ((0, 1), {}, 0)
