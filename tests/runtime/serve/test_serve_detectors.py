"""Detectors of guards: asked of the engine, each once, all at the same time; and what follows where it cannot."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import grpc
import pytest
from played_gateway import gateway, request_body, request_headers

from runtime.engine.errors import EngineError, OverloadedError
from runtime.guards.guard import Guard
from runtime.request.events import Cause, NeedSignals
from runtime.serve.engine import EnginePool
from runtime.serve.generation import Generation
from schemas.runtime import Checkpoint, Classifier

JUDGE = Classifier(
    task="jailbreak",
    checkpoint=Checkpoint(repo="a/b", revision="0" * 40),
    labels=["attack", "injection"],
    threshold=0.5,
)
GUARD = Guard("judge", "block", (), detector="judge", threshold=0.8)


class Engine:
    """Finds attacks where the text says so; fails where it is told to."""

    waiting, healthy = 0, True

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    async def classify(self, task, texts, _until):
        """Each label's probability."""
        self.asked.append((task, tuple(texts)))
        if self.error:
            raise self.error
        return [
            {"safe": 0.1 if "evil" in text else 0.9, "attack": 0.9 if "evil" in text else 0.05, "injection": 0.01}
            for text in texts
        ]

    async def tokens(self, task, text, until):
        """Not asked."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is held."""


def decided(settings, engine, body: bytes, guard: Guard = GUARD):
    """The last answer to a request, and the status."""
    own = replace(settings, program=replace(settings.program, guards=(guard,)), budget=30.0)
    generation = Generation(own, EnginePool(engine, {"judge": JUDGE}, None))

    async def whole():
        async with gateway(own, generation=generation) as envoy:
            return await envoy.send(request_headers(), request_body(body))

    answers, code = asyncio.run(whole())
    assert code == grpc.StatusCode.OK
    return answers[-1]


def test_detector_blocks_what_it_finds_and_is_asked_once(settings, chat):
    """All texts of the request in one question."""
    engine = Engine()
    answer = decided(settings, engine, chat("llama3-8b", "something evil", user="me"))
    assert answer.immediate_response.status.code == 403
    assert json.loads(answer.immediate_response.body)["error"]["code"] == "guard:judge"
    assert engine.asked == [("judge", ("something evil", "me"))]
    assert decided(settings, Engine(), chat("llama3-8b", "hello")).WhichOneof("response") == "request_body"


@pytest.mark.parametrize("error", [OverloadedError(), TimeoutError(), EngineError("gone"), RuntimeError("?")])
def test_detector_that_fails_refuses_unless_errors_pass(settings, chat, error):
    """Whatever breaks in the engine."""
    body = chat("llama3-8b", "hello")
    assert decided(settings, Engine(error), body).immediate_response.status.code == 503
    lenient = replace(GUARD, passes_errors=True)
    assert decided(settings, Engine(error), body, lenient).WhichOneof("response") == "request_body"


def test_without_an_engine_a_detector_has_failed(settings):
    """A guard that nobody can answer for must not seem to hold."""
    generation = Generation(settings, None)
    found = asyncio.run(generation.signals(NeedSignals("", frozenset(), {"judge": ("x",)}), 0))
    assert found.looks == {"judge": Cause.BROKEN}
