"""Detectors of guards: asked of the engine, each once, all at the same time; and what follows where it cannot."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace

import grpc
import numpy as np
import pytest

from support.played_gateway import request_body, request_headers
from vsr_runtime.decision.guards.finders import personal
from vsr_runtime.decision.guards.guard import Guard, in_order
from vsr_runtime.decision.request.events import Cause, NeedSignals
from vsr_runtime.inference.engine.errors import EngineError, OverloadedError
from vsr_runtime.inference.engine.interface import TokenLabels
from vsr_runtime.server.engine import EnginePool
from vsr_runtime.server.generation import Generation
from vsr_schemas.runtime import CheckpointSettings, ClassifierSettings

JUDGE = ClassifierSettings(
    task="jailbreak",
    checkpoint=CheckpointSettings(repo="a/b", revision="0" * 40),
    labels=["attack", "injection"],
    threshold=0.5,
)
PERSONS = ClassifierSettings(
    task="pii",
    checkpoint=CheckpointSettings(repo="a/c", revision="0" * 40, kind="token"),
    labels=["PERSON"],
    threshold=0.5,
)
NAMES = Guard(
    "names",
    "mask",
    (personal(["EMAIL_ADDRESS"]),),
    detector="persons",
    threshold=0.8,
    types=frozenset({"PERSON", "EMAIL_ADDRESS"}),
)
GUARD = Guard("judge", "block", (), detector="judge", threshold=0.8)


class Engine:
    """Finds attacks where the text says so; fails on request."""

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

    async def label_tokens(self, task, texts, _until):
        """Each word is a person where it begins with a capital."""
        self.asked.append((task, tuple(texts)))
        if self.error:
            raise self.error
        return [labelled(text) for text in texts]

    def close(self) -> None:
        """Nothing is held."""


def labelled(text):
    """The labels of a text's words."""
    words = list(re.finditer(r"\w+", text))
    rows = [[0.1, 0.9] if word[0][0].isupper() else [0.9, 0.1] for word in words]
    shares = np.array(rows, dtype=np.float32).reshape(-1, 2)
    return TokenLabels(("O", "B-PER"), [word.span() for word in words], shares)


def decided(gateway, settings, engine, body: bytes, *guards: Guard):
    """The last answer to a request, and the status."""
    own = replace(
        settings, program=replace(settings.program, guards=in_order(guards or (GUARD,))), decision_timeout=30.0
    )
    generation = Generation(own, EnginePool(engine, {"judge": JUDGE, "persons": PERSONS}, None))

    async def whole():
        async with gateway(own, generation=generation) as envoy:
            return await envoy.send(request_headers(), request_body(body))

    answers, code = asyncio.run(whole())
    assert code == grpc.StatusCode.OK
    return answers[-1]


def test_detector_blocks_what_it_finds_and_is_asked_once(gateway, settings, chat):
    """All texts of the request in one question."""
    engine = Engine()
    answer = decided(gateway, settings, engine, chat("llama3-8b", "something evil", user="me"))
    assert answer.immediate_response.status.code == 403
    assert json.loads(answer.immediate_response.body)["error"]["code"] == "guard:judge"
    assert engine.asked == [("judge", ("something evil", "me"))]
    assert decided(gateway, settings, Engine(), chat("llama3-8b", "hello")).WhichOneof("response") == "request_body"


@pytest.mark.parametrize("error", [OverloadedError(), TimeoutError(), EngineError("gone"), RuntimeError("?")])
def test_detector_that_fails_refuses_unless_errors_pass(gateway, settings, chat, error):
    """Whatever breaks in the engine."""
    body = chat("llama3-8b", "hello")
    assert decided(gateway, settings, Engine(error), body).immediate_response.status.code == 503
    assert decided(gateway, settings, Engine(error), body, NAMES).immediate_response.status.code == 503
    lenient = replace(GUARD, passes_errors=True)
    assert decided(gateway, settings, Engine(error), body, lenient).WhichOneof("response") == "request_body"


def content_of(answer):
    """The text that the backend gets."""
    return json.loads(answer.request_body.response.body_mutation.body)["messages"][0]["content"]


def test_what_a_token_detector_finds_is_masked_beside_what_patterns_find(gateway, settings, chat):
    """In one question for all texts; every other byte stays, one value has one placeholder, and its types are ours."""
    engine = Engine()
    text = 'ask Smith (Smith@example.org) "now", Jones or Smith'
    answer = decided(gateway, settings, engine, chat("llama3-8b", text), NAMES)
    assert content_of(answer) == 'ask [PERSON_1] ([EMAIL_ADDRESS_1]) "now", [PERSON_2] or [PERSON_1]'
    assert engine.asked == [("persons", (text,))]


def test_what_hides_a_name_from_patterns_hides_it_from_no_detector(gateway, settings, chat):
    """The detector reads normalised text; what is masked are the characters that stood for the name."""
    answer = decided(gateway, settings, Engine(), chat("llama3-8b", "ask S\u200bm\u00adith now"), NAMES)
    assert content_of(answer) == "ask [PERSON_1] now"


def test_a_token_detector_blocks_routes_and_flags(gateway, settings, chat):
    """Each guard by its own types and threshold, at the cost of one look."""
    body = chat("llama3-8b", "ask Smith")
    block = replace(NAMES, action="block", finders=())
    assert decided(gateway, settings, Engine(), body, block).immediate_response.status.code == 403
    engine = Engine()
    others = [
        replace(block, name="higher", threshold=0.95),
        replace(block, name="places", types=frozenset({"GPE"})),
        replace(block, name="away", action="route", target="phi4-mini"),
        replace(block, name="watch", action="flag"),
    ]
    answer = decided(gateway, settings, engine, body, *others)
    sent = {one.header.key: one.header.raw_value for one in answer.request_body.response.header_mutation.set_headers}
    assert (sent["x-selected-model"], sent["x-vsr-guards"]) == (b"phi4-mini", b"watch")
    assert engine.asked == [("persons", ("ask Smith",))]


def test_what_is_refused_unread_costs_no_look(gateway, settings, chat):
    """A text that is too long for a guard is not given to its detector first."""
    engine = Engine()
    short = replace(NAMES, max_tokens=4)
    answer = decided(gateway, settings, engine, chat("llama3-8b", "ask Smith " * 20), short)
    assert json.loads(answer.immediate_response.body)["error"]["code"] == "too_long:names"
    exempt = replace(short, exempt=frozenset({"phi4-mini"}))
    answer = decided(gateway, settings, engine, chat("llama3-8b", "ask Smith " * 20), exempt)
    assert json.loads(answer.immediate_response.body)["error"]["code"] == "too_long:names"
    assert engine.asked == []


def test_without_an_engine_a_detector_has_failed(settings):
    """A guard that nobody can answer for must not seem to hold."""
    generation = Generation(settings, None)
    found = asyncio.run(generation.signals(NeedSignals("", frozenset(), {"judge": ("x",)}), 0))
    assert found.detections == {"judge": Cause.BROKEN}
