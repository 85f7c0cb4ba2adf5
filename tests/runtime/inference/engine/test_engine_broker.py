"""One engine for several worker processes: started when the first asks for it, ended when the last lets go."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress

import pytest

from support.common import ROOT
from vsr_runtime import settings
from vsr_runtime.errors import UserError
from vsr_runtime.inference.compiled_classifier import CompiledClassifier
from vsr_runtime.inference.engine.broker import Broker, lease
from vsr_runtime.server.engine import LoadedEngine
from vsr_runtime.server.load import load_classifier
from vsr_runtime.server.supervisor.link import BROKER

pytestmark = pytest.mark.subprocess


QUICKSTART = ROOT / "out/quickstart/router/config.yaml"
TEXTS = ("What is the derivative of x squared?", "Where is my parcel?", "Write a poem about the sea.")


def engine_pid(broker: Broker) -> int:
    """The one engine's process."""
    (engine,) = broker._engines.values()
    return engine.supervisor.pid


async def gone(pid: int) -> None:
    """Wait until a process has ended."""
    with suppress(ProcessLookupError):
        while True:
            os.kill(pid, 0)
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("encoder")
def test_workers_share_an_engine_that_decides_as_the_classifier_in_process_does(tmp_path, monkeypatch):
    """Two ask, one is started; it says what the classifier says; who lets go last ends it."""
    policy = settings.load(QUICKSTART)
    inline = load_classifier(policy)
    assert isinstance(inline, CompiledClassifier)
    monkeypatch.setenv(BROKER, str(tmp_path / "broker"))

    async def whole() -> None:
        broker = Broker()
        async with await broker.listen(tmp_path / "broker"):
            loaded = [load_classifier(policy) for _ in range(2)]
            assert all(isinstance(each, LoadedEngine) for each in loaded)
            pools = [await each.start() for each in loaded]
            pid = engine_pid(broker)
            until = asyncio.get_running_loop().time() + 30
            for text in TEXTS:
                expected = inline.classify(text)
                for pool in pools:
                    found = await pool.signals(text, until)
                    assert (found.category, found.probability) == (expected.label, pytest.approx(expected.probability))
            pools[0].close()
            assert (await pools[1].warm()).label == inline.classify(TEXTS[0]).label
            assert engine_pid(broker) == pid
            pools[1].close()
            await gone(pid)
            assert not broker._engines

    asyncio.run(whole())


def test_engine_that_does_not_start_is_an_error_for_who_asked(tmp_path):
    """Nothing is left of it."""

    async def whole() -> None:
        broker = Broker()
        async with await broker.listen(tmp_path / "broker"):
            with pytest.raises(UserError, match="did not become ready"):
                await lease(tmp_path / "broker", "0" * 64, tmp_path / "nothing.yaml")
            while broker._engines:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)

    asyncio.run(whole())
    with pytest.raises(UserError, match="engine broker cannot be reached"):
        asyncio.run(lease(tmp_path / "nobody", "0" * 64, tmp_path / "nothing.yaml"))
