from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.common import ROOT
from support.engine_fakes import DIGEST, FAIL, HOLD, FakeModel
from vsr_runtime.errors import UserError
from vsr_runtime.inference.engine import frames
from vsr_runtime.inference.engine.batch_queues import BatchQueues, LoadedModel
from vsr_runtime.inference.engine.engine_supervisor import EngineSupervisor
from vsr_runtime.inference.engine.errors import EngineError, OverloadedError
from vsr_runtime.inference.engine.remote import RemoteBackend
from vsr_runtime.inference.engine.server import listen
from vsr_runtime.inference.token_sequence import TokenSequence

SOON = 30.0
COMMAND = [sys.executable, str(ROOT / "tests" / "support" / "engine_fakes.py")]


def after(seconds: float) -> float:
    """A time of the event loop's clock."""
    return asyncio.get_running_loop().time() + seconds


async def total(remote, *ids: int, seconds: float = SOON) -> float:
    """What the engine says of a sequence."""
    return float((await remote.ask("sum", [TokenSequence(list(ids))], after(seconds)))[0]["sum"][0])


@pytest.fixture
def over_a_socket(tmp_path):
    """Runs a scenario against an engine behind a socket, both in this process."""

    def run(scenario, model=None, digest=DIGEST):
        model = model or FakeModel()

        async def whole():
            queues = BatchQueues([LoadedModel(model, ("sum", "each"), 64, 32)])
            server = await listen(queues, DIGEST, tmp_path / "socket")
            remote = RemoteBackend(tmp_path / "socket", digest)
            try:
                return await scenario(remote, queues, server)
            finally:
                model.go.set()
                remote.close()
                server.close()
                queues.close()

        return asyncio.run(whole())

    return run


def test_answers_come_back_over_the_socket(over_a_socket):
    """Many questions at a time get their own answers, and token rows keep their shape."""

    async def scenario(remote, *_):
        await remote.ready.wait()
        found = await asyncio.gather(*(total(remote, n, n) for n in range(20)))
        rows = (await remote.ask("each", [TokenSequence([7, 8, 9], frozenset({"each"}))], after(SOON)))[0]["each"]
        return found, rows.tolist(), remote.healthy

    found, rows, healthy = over_a_socket(scenario)
    assert found == [2 * n for n in range(20)]
    assert rows == [[7.0], [8.0], [9.0]]
    assert healthy


def test_the_socket_is_for_this_user_alone(over_a_socket, tmp_path):
    """No other user of the machine can ask."""

    async def scenario(*_):
        return (tmp_path / "socket").stat().st_mode & 0o777

    assert over_a_socket(scenario) == 0o600


def test_errors_keep_their_kind(over_a_socket):
    """Overload, lateness and a broken model are distinct errors on the other side."""
    model = FakeModel()

    async def scenario(remote, *_):
        await remote.ready.wait()
        held = asyncio.ensure_future(total(remote, HOLD))
        await asyncio.to_thread(model.begun.acquire)
        # As long as nothing is known of how long a batch takes, nothing is refused for it.
        with pytest.raises(TimeoutError):
            await total(remote, 1, seconds=0.3)
        model.go.set()
        assert await held == HOLD
        with pytest.raises(EngineError):
            await total(remote, FAIL)
        with pytest.raises(OverloadedError):
            await remote.ask("sum", [TokenSequence([n] * 64) for n in range(100)], after(SOON))
        with pytest.raises(EngineError):
            await remote.ask("no such task", [TokenSequence([1])], after(SOON))

    over_a_socket(scenario, model)


def test_who_gives_up_leaves_the_engines_queue(over_a_socket):
    """Cancellation crosses the socket."""
    model = FakeModel()

    async def scenario(remote, queues, _):
        await remote.ready.wait()
        held = asyncio.ensure_future(total(remote, HOLD))
        await asyncio.to_thread(model.begun.acquire)
        ahead = asyncio.ensure_future(total(remote, 1, *[0] * 63))
        given_up = asyncio.ensure_future(total(remote, 2, 2))
        while queues.waiting < 67:  # noqa: ASYNC110 - the queue tells nobody
            await asyncio.sleep(0.01)
        given_up.cancel()
        while queues.waiting != 65:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.01)
        model.go.set()
        await asyncio.gather(held, ahead)

    over_a_socket(scenario, model)
    assert [2, 2] not in [ids for batch in model.batches for ids in batch]


def test_an_engine_with_other_classifiers_is_not_asked(over_a_socket):
    """A front never gets answers of weights that its policy does not name."""

    async def scenario(remote, *_):
        async with asyncio.timeout(SOON):
            while not remote.wrong:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)
        with pytest.raises(EngineError):
            await total(remote, 1)
        return remote.wrong, remote.healthy

    assert over_a_socket(scenario, digest="e" * 64) == (True, False)


def test_nonsense_ends_the_conversation_and_nothing_else(over_a_socket, tmp_path, capsys):
    """A frame that is too long, or none of ours, is not waited for; other fronts are served on."""

    async def scenario(remote, *_):
        await remote.ready.wait()
        for data in (b"\xff" * 8, (3).to_bytes(4, "big") + b"\xc1\xc1\xc1"):
            reader, writer = await asyncio.open_unix_connection(tmp_path / "socket")
            writer.write(data)
            assert await asyncio.wait_for(reader.read(), 10) == b""
            writer.close()
        return await total(remote, 3)

    assert over_a_socket(scenario) == 3
    assert "engine_nonsense" in capsys.readouterr().err


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_an_error(data):
    """Decoding raises nothing but what is expected of it."""
    with suppress(msgspec.DecodeError):
        frames.read_front.decode(data)


def supervised(scenario, stuck_after=3.0):
    """Run a scenario against an engine process."""

    async def whole():
        supervisor = EngineSupervisor(COMMAND, DIGEST, stuck_after=stuck_after)
        try:
            await supervisor.ready()
            return await scenario(supervisor)
        finally:
            supervisor.close()
            if supervisor._process is not None:
                await supervisor._process.wait()
            await asyncio.sleep(0.05)

    return asyncio.run(whole())


async def again(remote) -> float:
    """Ask until there is an engine that answers."""
    deadline = time.monotonic() + SOON
    while time.monotonic() < deadline:
        try:
            return await total(remote, 1, 2)
        except EngineError:
            await asyncio.sleep(0.05)
    raise AssertionError("no engine came back")


@pytest.mark.subprocess
def test_a_killed_engine_is_noticed_shed_and_replaced():
    """Waiting callers get an error at once, and so do new ones, and then a new process answers."""

    async def scenario(supervisor):
        first = supervisor.pid
        waits = asyncio.ensure_future(total(supervisor.remote, HOLD))
        await asyncio.sleep(0.2)
        os.kill(first, signal.SIGKILL)
        begun = time.monotonic()
        with pytest.raises(EngineError):
            await waits
        with pytest.raises(EngineError):
            await total(supervisor.remote, 1)
        assert time.monotonic() - begun < SOON / 2
        assert not supervisor.remote.healthy
        assert await again(supervisor.remote) == 3
        return first != supervisor.pid

    assert supervised(scenario)


@pytest.mark.subprocess
def test_a_stopped_engine_is_noticed_shed_and_replaced():
    """A process that is there and says nothing any more counts as stuck, before any request's own deadline."""

    async def scenario(supervisor):
        first = supervisor.pid
        os.kill(first, signal.SIGSTOP)
        begun = time.monotonic()
        with pytest.raises(EngineError):
            await total(supervisor.remote, 1)
        assert time.monotonic() - begun < SOON / 2
        assert await again(supervisor.remote) == 3
        return first != supervisor.pid

    assert supervised(scenario, stuck_after=3.0)


@pytest.mark.subprocess
def test_an_engine_that_cannot_start_is_an_error():
    """A front does not wait for ever for what has ended."""

    async def whole():
        supervisor = EngineSupervisor([sys.executable, "-c", "raise SystemExit(1)"], DIGEST)
        try:
            with pytest.raises(UserError, match="did not become ready"):
                await supervisor.ready()
        finally:
            supervisor.close()

    asyncio.run(whole())
