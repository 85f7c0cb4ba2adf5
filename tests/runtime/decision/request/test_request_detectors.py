from __future__ import annotations

import json
from dataclasses import replace

import pytest

from vsr_runtime.decision.guards.detection import TextSpan, TextVerdict
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.program.conditions import AnyCondition, CategoryCondition, NotCondition, SignalCondition
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.request.events import (
    Cause,
    ImmediateResponse,
    NeedSignals,
    RequestBody,
    RequestHeaders,
    SendToModel,
    SignalsReady,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig
from vsr_runtime.decision.signals.model_signals import EmbeddingSignal, JailbreakSignal

HEADERS = RequestHeaders(
    ((":method", "POST"), (":path", "/v1/chat/completions"), ("content-type", "application/json")), end_of_stream=False
)
EVIL, ALIKE = SignalCondition(("jailbreak", "evil")), SignalCondition(("embedding", "alike"))
ASKING = {
    EVIL.name: JailbreakSignal("judge", 0.5, everywhere=True),
    ALIKE.name: EmbeddingSignal(("Good day.",), 0.5, mean=False),
}
BODY = json.dumps(
    {"model": "auto", "messages": [{"role": "system", "content": "Behave."}, {"role": "user", "content": "hello"}]}
).encode()


def start(program, rule, guards=()):
    """The rules, the state and the question of a chat that this rule decides."""
    phi = PolicyRoute("a", rule, ((program.models["phi4-mini"], 100),))
    rules = MachineConfig(replace(program, routes=(phi,), model_signals=ASKING, guards=guards), 1000)
    state, _ = advance(rules, AwaitsHeaders(), HEADERS)
    state, question = advance(rules, state, RequestBody(BODY))
    assert isinstance(question, NeedSignals)
    return rules, state, question


def seen(*scores: float) -> list[TextVerdict]:
    """What a detector says of some texts."""
    return [TextVerdict(TextSpan(0, 5, "jailbreak", score, "judge")) for score in scores]


@pytest.mark.parametrize(("scores", "route"), [((0.1, 0.6), "a"), ((0.6, 0.1), "a"), ((0.4, 0.4), None)])
def test_an_attack_in_any_message_takes_the_route(program, scores, route):
    """The detector reads all messages; its answer is the signal's by the signal's own threshold."""
    rules, state, question = start(program, EVIL)
    assert (question.kinds, question.detector_texts) == (frozenset(), {"judge": ("Behave.", "hello")})
    _, action = advance(rules, state, SignalsReady(detections={"judge": seen(*scores)}))
    assert action.route == route


@pytest.mark.parametrize("rule", [EVIL, NotCondition(EVIL)])
@pytest.mark.parametrize(
    ("looks", "code"),
    [
        ({"judge": Cause.TIMEOUT}, "classifier_timeout"),
        ({"judge": Cause.OVERLOADED}, "classifier_overloaded"),
        ({"judge": seen(0.1)}, "classifier_failed"),
        ({}, "classifier_failed"),
    ],
)
def test_request_that_depends_on_a_failed_detector_is_rejected(program, rule, looks, code):
    """A missing or partial detector result never means that there is no attack."""
    rules, state, _ = start(program, rule)
    _, action = advance(rules, state, SignalsReady(detections=looks))
    assert isinstance(action, ImmediateResponse)
    assert (action.status, action.code) == (503, code)


def test_a_detector_that_fails_does_not_matter_where_something_else_settles_it(program):
    """Three-valued: true or unknown is true."""
    rules, state, question = start(program, AnyCondition((EVIL, ALIKE)))
    assert question.kinds == {"similarity"}
    found = SignalsReady(detections={"judge": Cause.BROKEN}, similarities={"Good day.": 0.7})
    _, action = advance(rules, state, found)
    assert (action.route, dict(action.signals.matched)) == ("a", {ALIKE.name: True})


def test_category_and_likeness_are_one_question(program):
    """The encoder reads the text once for both."""
    rules, state, question = start(program, AnyCondition((CategoryCondition(frozenset({"math"}), "math"), ALIKE)))
    assert (question.text, question.kinds) == ("hello", {"category", "similarity"})
    _, action = advance(rules, state, SignalsReady("math", 0.9, similarities={"Good day.": 0.1}))
    assert (action.route, action.signals.category) == ("a", "math")


@pytest.mark.parametrize(("score", "status"), [(0.9, 403), (0.6, None)])
def test_guards_and_signals_share_a_detector(program, score, status):
    """The detector runs once, and guard and signal use its result."""
    guard = Guard("judge", "block", (), detector="judge", threshold=0.8)
    rules, state, question = start(program, EVIL, (guard,))
    assert list(question.detector_texts) == ["judge"]
    texts = question.detector_texts["judge"]
    assert len(texts) == len(set(texts))
    looks = [
        TextVerdict(TextSpan(0, len(text), "jailbreak", score if text == "hello" else 0.0, "judge")) for text in texts
    ]
    _, action = advance(rules, state, SignalsReady(detections={"judge": looks}))
    assert (action.status if isinstance(action, ImmediateResponse) else None) == status
    assert isinstance(action, ImmediateResponse) or (isinstance(action, SendToModel) and action.route == "a")
