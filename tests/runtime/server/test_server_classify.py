from __future__ import annotations

import asyncio
import threading

import pytest

from support.runtime_fakes import Classification, FakeClassifier
from vsr_runtime.decision.request.events import Cause, Failure, SignalsReady
from vsr_runtime.server.classify import ClassifierPool

SOON = 30.0


class Blocker:
    """A classifier that waits until it is let go, and remembers what it was asked."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = threading.Semaphore(0)
        self.texts: list[str] = []

    def classify(self, text: str) -> Classification:
        """Remember the text, and wait."""
        self.texts.append(text)
        self.begun.release()
        assert self.go.wait(30)
        return Classification("math", 1.0)


def run(scenario, classifier, **bounds):
    """Run a scenario against a pool in an event loop of its own."""

    async def whole():
        pool = ClassifierPool(classifier, **bounds)
        try:
            return await scenario(pool, asyncio.get_running_loop())
        finally:
            if isinstance(classifier, Blocker):
                classifier.go.set()
            pool.close()

    return asyncio.run(whole())


def test_label_and_probability_become_signals():
    """What the classifier says is what the rules are asked about."""

    async def scenario(pool, loop):
        await pool.warm()
        return [await pool.signals(text, loop.time() + SOON) for text in ("2+2", "hello")]

    expected = [SignalsReady("math", 0.9), SignalsReady(None, 0.1)]
    assert run(scenario, FakeClassifier()) == expected


def test_broken_classifier_is_a_failure_and_its_text_is_not_logged(capsys):
    """An exception in a model becomes a failure, and the log names its type only."""

    async def scenario(pool, loop):
        return await pool.signals("RAISE my secret", loop.time() + SOON)

    assert run(scenario, FakeClassifier()) == Failure(Cause.BROKEN)
    logged = capsys.readouterr().err
    assert "RuntimeError" in logged
    assert "secret" not in logged


def test_classifier_that_fails_on_its_first_text_is_found_out():
    """Warming does not hide an error, so that a server cannot become ready with a broken model."""

    class Broken:
        def classify(self, text: str) -> Classification:
            raise RuntimeError(text)

    async def scenario(pool, _):
        await pool.warm()

    with pytest.raises(RuntimeError):
        run(scenario, Broken())


def test_deadline_ends_the_wait():
    """A classification that is not done in time is a failure, whatever comes of it later."""

    async def scenario(pool, loop):
        return await pool.signals("2+2", loop.time() + 0.05)

    assert run(scenario, Blocker()) == Failure(Cause.TIMEOUT)


def test_overload_is_refused_at_once():
    """Beyond the bound nothing waits, and a place is free again once work is done."""
    held = Blocker()

    async def scenario(pool, loop):
        tasks = [asyncio.ensure_future(pool.signals(str(i), loop.time() + SOON)) for i in range(2)]
        await asyncio.to_thread(held.begun.acquire)
        shed = await pool.signals("one more", loop.time() + SOON)
        held.go.set()
        served = await asyncio.gather(*tasks)
        return shed, served, await pool.signals("later", loop.time() + SOON)

    shed, served, later = run(scenario, held, threads=1, max_pending=2)
    assert shed == Failure(Cause.OVERLOADED)
    assert served == [later, later] == [SignalsReady("math", 1.0)] * 2
    assert "one more" not in held.texts


def test_cancelled_work_is_dropped():
    """Whoever gives up while waiting is never computed, and gives the place back."""
    held = Blocker()

    async def scenario(pool, loop):
        first = asyncio.ensure_future(pool.signals("first", loop.time() + SOON))
        await asyncio.to_thread(held.begun.acquire)
        waiting = asyncio.ensure_future(pool.signals("given up", loop.time() + SOON))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        last = asyncio.ensure_future(pool.signals("last", loop.time() + SOON))
        await asyncio.sleep(0)
        held.go.set()
        return await asyncio.gather(first, last)

    assert run(scenario, held, threads=1, max_pending=2) == [SignalsReady("math", 1.0)] * 2
    assert held.texts == ["first", "last"]
