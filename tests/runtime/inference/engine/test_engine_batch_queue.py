from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.engine_fakes import FAIL, HOLD, FakeModel
from support.properties import examples
from vsr_runtime.inference.engine.batch_queue import BatchQueue
from vsr_runtime.inference.engine.errors import EngineError, OverloadedError
from vsr_runtime.inference.token_sequence import TokenSequence

SOON = 30.0
ANY_TIME = 1e6
"""Seconds within which all is expected, also after a batch in which the machine stood still."""


def run(scenario, model=None, *, budget=64, capacity=256, **options):
    """Run a scenario against a queue in an event loop of its own."""
    model = model or FakeModel()

    async def whole():
        queue = BatchQueue(model, budget, capacity, **options)
        try:
            return await scenario(queue, asyncio.get_running_loop().time() + SOON)
        finally:
            model.go.set()
            queue.close()

    return asyncio.run(whole())


def sequence(*ids: int) -> TokenSequence:
    """A sequence."""
    return TokenSequence(list(ids))


async def total(queue, until, *ids: int) -> float:
    """What the model says of one sequence."""
    return float((await queue.ask([sequence(*ids)], until))[0]["sum"][0])


async def held(queue, until, model) -> asyncio.Task:
    """Work that occupies the model until it is let go."""
    task = asyncio.ensure_future(total(queue, until, HOLD))
    await asyncio.to_thread(model.begun.acquire)
    return task


def test_what_waits_together_is_computed_together():
    """While a batch is computed others fill up, in order and within the budget."""
    model = FakeModel()

    async def scenario(queue, until):
        first = await held(queue, until, model)
        rest = [asyncio.ensure_future(total(queue, until, n, *[0] * 19)) for n in range(1, 8)]
        await asyncio.sleep(0.05)
        model.go.set()
        return await asyncio.gather(first, *rest)

    assert run(scenario, model) == [HOLD, 1, 2, 3, 4, 5, 6, 7]
    assert all(sum(map(len, batch)) <= 64 for batch in model.batches)
    assert [ids[0] for batch in model.batches for ids in batch] == [HOLD, 1, 2, 3, 4, 5, 6, 7]
    assert max(len(batch) for batch in model.batches) == 3


@examples(25)
@given(st.lists(st.tuples(st.integers(1, 64), st.booleans(), st.booleans()), min_size=1, max_size=40), st.integers())
def test_everybody_gets_an_answer_of_their_own_or_an_error(wishes, seed):
    """Whatever is asked, given up or late, answers belong to their questions, and afterwards nothing is left over."""
    model, chance = FakeModel(), random.Random(seed)  # noqa: S311 - hypothesis' seed

    async def one(queue, number, size, late):
        now = asyncio.get_running_loop().time()
        with suppress(TimeoutError, OverloadedError):
            found = await total(queue, now - 1 if late else now + ANY_TIME, number, *[0] * (size - 1))
            assert found == number
            return True
        return False

    async def scenario(queue, _):
        tasks = []
        for number, (size, late, given_up) in enumerate(wishes, 1):
            task = asyncio.ensure_future(one(queue, number, size, late))
            tasks.append((task, late, given_up))
            if chance.random() < 0.5:
                await asyncio.sleep(0)
            if given_up:
                task.cancel()
        done = await asyncio.gather(*(task for task, _, _ in tasks), return_exceptions=True)
        for found, (_, late, given_up) in zip(done, tasks, strict=True):
            if not given_up:
                assert found is not late
        async with asyncio.timeout(SOON):
            while queue.waiting:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.005)
        return await total(queue, asyncio.get_running_loop().time() + ANY_TIME, 5)

    assert run(scenario, model, capacity=10**6) == 5
    assert all(sum(map(len, batch)) <= 64 for batch in model.batches)


def test_cancelled_work_is_never_computed():
    """What nobody waits for any more is dropped, and its place is free at once."""
    model = FakeModel()

    async def scenario(queue, until):
        first = await held(queue, until, model)
        ahead = [asyncio.ensure_future(total(queue, until, 1, *[0] * 63)) for _ in range(1)]
        await asyncio.sleep(0.05)
        waiting = asyncio.ensure_future(total(queue, until, 2, 2))
        await asyncio.sleep(0)
        before = queue.waiting
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        assert queue.waiting == before - 2
        model.go.set()
        await asyncio.gather(first, *ahead)

    run(scenario, model)
    assert [2, 2] not in [ids for batch in model.batches for ids in batch]


def test_late_work_ends_in_time():
    """A deadline holds while the model is busy, and what is late by then is not computed."""
    model = FakeModel()

    async def scenario(queue, until):
        first = await held(queue, until, model)
        ahead = asyncio.ensure_future(total(queue, until, 1, *[0] * 63))
        await asyncio.sleep(0.05)
        with pytest.raises(TimeoutError):
            await total(queue, asyncio.get_running_loop().time() + 0.3, 3, 3)
        model.go.set()
        await asyncio.gather(first, ahead)

    run(scenario, model)
    assert [3, 3] not in [ids for batch in model.batches for ids in batch]


def test_two_tasks_of_one_encoder_share_a_forward_pass():
    """Whoever asks for what waits, is computed or was answered lately adds no work."""
    model = FakeModel()

    async def scenario(queue, until):
        first = await held(queue, until, model)
        again = asyncio.ensure_future(total(queue, until, HOLD))
        twins = [asyncio.ensure_future(total(queue, until, 4, 4)) for _ in range(2)]
        await asyncio.sleep(0.05)
        model.go.set()
        return [await first, await again, *await asyncio.gather(*twins), await total(queue, until, 4, 4)]

    assert run(scenario, model) == [HOLD, HOLD, 8, 8, 8]
    assert [ids for batch in model.batches for ids in batch] == [[HOLD], [4, 4]]


def test_one_who_leaves_does_not_take_the_answer_from_another():
    """Work that two wait for is computed when one of them gives up."""
    model = FakeModel()

    async def scenario(queue, until):
        first = await held(queue, until, model)
        stays, leaves = (asyncio.ensure_future(total(queue, until, 4, 4)) for _ in range(2))
        await asyncio.sleep(0)
        leaves.cancel()
        await asyncio.sleep(0)
        model.go.set()
        await first
        return await stays

    assert run(scenario, model) == 8


def test_token_rows_are_given_to_who_asks_for_them():
    """A head that answers for each token is asked where somebody wants it, also of text that was read without it."""

    async def scenario(queue, until):
        await total(queue, until, 4, 5)
        return (await queue.ask([TokenSequence([4, 5], frozenset({"each"}))], until))[0]["each"].tolist()

    assert run(scenario) == [[4.0], [5.0]]


def test_too_much_is_refused_at_once():
    """Beyond the capacity nothing waits, and a text of many windows is taken whole or not at all."""
    model = FakeModel()

    async def scenario(queue, until):
        first = await held(queue, until, model)
        second = asyncio.ensure_future(total(queue, until, 1, *[0] * 63))
        await asyncio.sleep(0.05)
        with pytest.raises(OverloadedError):
            await queue.ask([sequence(n, *[0] * 63) for n in range(10, 15)], until)
        assert queue.waiting == 65
        model.go.set()
        await asyncio.gather(first, second)

    run(scenario, model)


def test_what_would_be_late_by_the_estimate_is_refused():
    """With slow batches in view nobody is let in who would only time out."""
    model = FakeModel()

    async def scenario(queue, until):
        queue._latency.learn(64, 500.0)
        first = await held(queue, until, model)
        with pytest.raises(OverloadedError):
            await total(queue, asyncio.get_running_loop().time() + 100, 3, 3)
        model.go.set()
        await first
        return await total(queue, asyncio.get_running_loop().time() + 100, 3, 3)

    assert run(scenario, model) == 6


def test_a_batch_that_does_not_fit_the_device_is_split():
    """What the device has no memory for is computed in parts; a sequence that does not fit alone is shed."""
    model = FakeModel(fits=20)

    async def scenario(queue, until):
        answers = await queue.ask([sequence(n, *[0] * 9) for n in range(6)], until)
        assert [float(answer["sum"][0]) for answer in answers] == [0, 1, 2, 3, 4, 5]
        with pytest.raises(OverloadedError):
            await total(queue, until, *[1] * 21)
        return await total(queue, until, 1, 2)

    assert run(scenario, model) == 3


def test_a_failing_model_fails_its_batch_only(capsys):
    """The error reaches who waits, the next batch is served, and the log names the error's type alone."""

    async def scenario(queue, until):
        with pytest.raises(EngineError):
            await total(queue, until, FAIL)
        return await total(queue, until, 1)

    assert run(scenario) == 1
    logged = capsys.readouterr().err
    assert "RuntimeError" in logged
    assert "secret" not in logged


def test_a_stuck_batch_is_noticed_and_what_follows_is_shed():
    """Nobody queues behind a device that does not come back; when it does, it serves again."""
    model = FakeModel()

    async def scenario(queue, until):
        first = await held(queue, until, model)
        await asyncio.sleep(0.1)
        assert not queue.healthy
        with pytest.raises(EngineError):
            await total(queue, until, 1)
        model.go.set()
        await first
        await asyncio.sleep(0.05)
        assert queue.healthy
        return await total(queue, until, 1)

    assert run(scenario, model, stalled=0.05) == 1


def test_closing_tells_who_waits():
    """Nobody hangs when a generation ends."""
    model = FakeModel()

    async def scenario(queue, until):
        first = await held(queue, until, model)
        queue.close()
        with pytest.raises(EngineError):
            await first
        with pytest.raises(EngineError):
            await total(queue, until, 1)

    run(scenario, model)


def test_warming_computes_batches_of_each_size():
    """Warm-up reads batches up to the budget, in sequences no longer than the model reads, each another."""
    model = FakeModel()

    async def scenario(queue, _):
        await queue.warm((16, 64, 1000), 24)

    run(scenario, model)
    assert [sum(map(len, batch)) for batch in model.batches] == [16, 64, 64]
    assert max(len(ids) for batch in model.batches for ids in batch) == 24
