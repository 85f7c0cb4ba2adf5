"""What `/api/v1/eval` and `/api/v1/classify/intent` say of a request is what becomes of it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.played_api import ALL, ANY_TIME, Engine, ask, send, served
from support.played_gateway import samples
from support.properties import examples
from support.runtime_fakes import FakeClassifier
from vsr_runtime.decision.guards.finders import personal
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.program.conditions import AllConditions, AnyCondition, CategoryCondition, NotCondition
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.request.events import (
    ImmediateResponse,
    RequestBody,
    RequestHeaders,
    SendToModel,
    SignalsReady,
)
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig
from vsr_runtime.inference.engine.errors import OverloadedError
from vsr_runtime.server.classify import ClassifierPool

EVAL, INTENT = "/api/v1/eval", "/api/v1/classify/intent"


def fake():
    """The classifier whose answers are in the text."""
    return ClassifierPool(FakeClassifier())


def eval_response(settings, body, path=EVAL, **more):
    """The answer to a request that is answered."""
    status, answer, _ = ask(settings, path, body, classifiers={}, pool=fake(), **more)
    assert status == 200, answer
    return answer


def test_decision_and_its_signals(settings):
    """Names of the decision, its signals and its model, and what the client asked for."""
    answer = eval_response(settings, {"text": "2+2 is"})
    assert answer.pop("processing_time_ms") >= 0
    assert answer == {
        "original_text": "2+2 is",
        "requested_model": "auto",
        "decision_result": {
            "decision_name": "math",
            "used_signals": {"domains": ["math"]},
            "matched_signals": {"domains": ["math"]},
            "unmatched_signals": {},
        },
        "routing_decision": "math",
        "recommended_models": ["phi4-mini"],
        "selected_model": "phi4-mini",
        "selection_status": "selected",
        "category": "math",
        "matched_signals": {"domains": ["math"]},
        "signal_confidences": {"domain:math": 0.9},
        "guards": [],
    }


def test_default_is_a_fallback_and_no_decision(settings):
    """Where no rule holds."""
    answer = eval_response(settings, {"messages": [{"role": "user", "content": "hello"}]})
    assert "decision_result" not in answer
    assert "routing_decision" not in answer
    assert (answer["selected_model"], answer["selection_status"]) == ("llama3-8b", "fallback")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"text": "2+2", "model": "phi4-mini"}, ("selected", "phi4-mini", None)),
        ({"text": "2+2", "model": "nobody"}, ("unavailable", None, {"status": 404, "code": "model_not_found"})),
        ({"messages": [1]}, ("unavailable", None, {"status": 400, "code": "invalid_request"})),
        ({"text": "2", "tools": 7}, ("unavailable", None, {"status": 400, "code": "invalid_request"})),
    ],
    ids=["named", "unknown", "messages", "tools"],
)
def test_request_that_is_not_decided_by_content(settings, body, expected):
    """The answer that the client would get at once is part of the answer."""
    answer = eval_response(settings, body)
    assert (answer["selection_status"], answer.get("selected_model"), answer.get("answer")) == expected


def test_guard_is_reported_by_name(settings):
    """A request that would be blocked is evaluated, and says by whom; a guard that only flags lets it pass."""
    finders = (personal({"EMAIL_ADDRESS"}),)
    for action, status in (("block", {"status": 403, "code": "guard:mail"}), ("flag", None)):
        guarded = replace(settings, program=replace(settings.program, guards=(Guard("mail", action, finders),)))
        answer = eval_response(guarded, {"text": "me@b.example"})
        assert answer.get("answer") == status
        assert answer["guards"] == [{"guard": "mail", "action": action}]


def test_guard_reads_what_else_a_body_has(settings):
    """Fields that the API has no word for are put to guards like a client's."""
    guard = Guard("mail", "block", (personal({"EMAIL_ADDRESS"}),))
    guarded = replace(settings, program=replace(settings.program, guards=(guard,)))
    assert eval_response(guarded, {"text": "hi", "note": {"a": "me@b.example"}})["answer"]["status"] == 403


def traced(settings, rule, text="2+2"):
    """The trace of one rule's tree, by a query and by an option alike."""
    program = replace(settings.program, routes=(PolicyRoute("r", rule, settings.program.routes[0].targets),))
    own = replace(settings, program=program)
    by_query = eval_response(own, {"text": text}, f"{EVAL}?trace=true")["eval_trace"]
    assert eval_response(own, {"text": text, "options": {"trace": True}})["eval_trace"] == by_query
    assert "eval_trace" not in eval_response(own, {"text": text}, f"{EVAL}?trace=false")
    return by_query


def test_trace_shows_the_tree_of_each_rule(settings):
    """Operators, leaves, and whether each holds."""
    rule = AnyCondition(
        (
            NotCondition(CategoryCondition(frozenset({"math"}), "maths")),
            CategoryCondition(frozenset({"computer science"}), "cs"),
        )
    )
    (trace,) = traced(settings, rule)
    leaf = {"node_type": "leaf", "signal_type": "domain"}
    assert trace == {
        "decision_name": "r",
        "matched": False,
        "root_trace": {
            "node_type": "OR",
            "matched": False,
            "children": [
                {"node_type": "NOT", "matched": False, "children": [leaf | {"signal_name": "maths", "matched": True}]},
                leaf | {"signal_name": "cs", "matched": False},
            ],
        },
    }


def test_trace_leaves_open_what_nobody_looked_at(settings):
    """Signals are found out only where the outcome depends on them; the rest is not shown as a miss."""
    (trace,) = traced(settings, AllConditions(()))
    assert trace == {
        "decision_name": "r",
        "matched": True,
        "root_trace": {"node_type": "AND", "matched": True, "children": []},
    }
    rules = [PolicyRoute("first", AllConditions(()), settings.program.routes[0].targets), *settings.program.routes]
    own = replace(settings, program=replace(settings.program, routes=tuple(rules)))
    answer = eval_response(own, {"text": "2+2"}, f"{EVAL}?trace=true")
    leaf = answer["eval_trace"][1]["root_trace"]["children"][0]
    assert leaf == {"node_type": "leaf", "signal_type": "domain", "signal_name": "math"}
    assert answer["matched_signals"] == {}


def test_intent_tells_the_category_and_where_it_leads(settings):
    """The category by its own name, all probabilities where they are asked for."""
    body = {"text": "2+2", "options": {"return_probabilities": True}}
    status, answer, _ = ask(settings, INTENT, body)
    assert status == 200
    assert answer["classification"].pop("processing_time_ms") >= 0
    assert answer == {
        "classification": {"category": "math", "confidence": 0.7},
        "probabilities": {"math": 0.7, "computer science": 0.2, "law": 0.1},
        "recommended_model": "phi4-mini",
        "routing_decision": "math",
        "matched_signals": {"domains": ["math"]},
    }


@pytest.mark.parametrize(("text", "asked"), [("hello", True), (" ", False)])
def test_intent_of_what_has_none_is_empty(settings, text, asked):
    """A label that the policy does not speak of is none of its categories; no text has no category."""
    engine = Engine()
    status, answer, _ = ask(settings, INTENT, {"text": text}, engine=engine)
    assert (status, answer["classification"]["category"]) == (200, "")
    assert bool(engine.asked) is asked
    assert "probabilities" not in answer


def test_intent_without_a_classifier_of_categories_is_not_found(settings):
    """It is unknown."""
    status, answer, _ = ask(settings, INTENT, {"text": "x"}, classifiers={"judge": ALL["judge"]})
    assert (status, answer["error"]["code"]) == (404, "no_classifier")


@pytest.mark.parametrize("path", [EVAL, INTENT])
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (OverloadedError(), 429, "classifier_overloaded"),
        ("hang", 503, "classifier_timeout"),
        (RuntimeError(), 503, "classifier_failed"),
    ],
    ids=["overloaded", "late", "broken"],
)
def test_request_that_cannot_be_decided_is_an_error(settings, path, error, status, code):
    """It has no outcome to report."""
    found, answer, headers = ask(
        settings, path, {"text": "2+2"}, engine=Engine(error), budget=0.2 if error == "hang" else ANY_TIME
    )
    assert (found, answer["error"]["code"]) == (status, code)
    assert headers["retry-after"] == "1"


def test_evaluating_is_not_traffic(settings, capfd):
    """No counter or line of gateways' requests moves, and no text is logged; the API counts its own."""

    async def whole():
        async with served(settings, classifiers={}, pool=fake()) as client:
            for body in ({"text": "2+2 SECRET"}, {"text": "SECRET", "model": "nobody"}, {"nothing": "SECRET"}):
                await send(client, EVAL, body)
            return client.played[3]

    metrics = asyncio.run(whole())
    assert samples(metrics, 'llm_model_requests_total{model="phi4-mini"}') == [
        'llm_model_requests_total{model="phi4-mini"} 0.0'
    ]
    assert samples(metrics, "llm_request_errors_total{") == []
    assert samples(metrics, "llm_model_routing_latency_seconds_count") == [
        "llm_model_routing_latency_seconds_count 0.0"
    ]
    assert samples(metrics, "vsr_api_requests_total{") == [
        'vsr_api_requests_total{path="/api/v1/eval",status="200"} 2.0',
        'vsr_api_requests_total{path="/api/v1/eval",status="422"} 1.0',
    ]
    assert capfd.readouterr() == ("", "")


def test_split_is_drawn_by_the_request_id(settings):
    """The same id has the same side as at the gateway, and both sides are drawn."""
    first, second = settings.program.models["phi4-mini"], settings.program.models["llama3-8b"]
    routes = (replace(settings.program.routes[0], targets=((first, 50), (second, 50))),)
    own = replace(settings, program=replace(settings.program, routes=routes))
    rules = MachineConfig(own.program, own.limits.maxBody)

    async def whole():
        async with served(own, classifiers={}, pool=fake()) as client:
            found = {}
            for i in range(20):
                _, answer, _ = await send(client, EVAL, {"text": "2+2"}, headers={"x-request-id": f"id-{i}"})
                found[f"id-{i}"] = answer["selected_model"]
                assert answer["recommended_models"] == ["phi4-mini", "llama3-8b"]
            return found

    found = asyncio.run(whole())
    assert set(found.values()) == {"phi4-mini", "llama3-8b"}
    for name, model in found.items():
        assert at_the_gateway(rules, {"text": "2+2"}, (("x-request-id", name),)).model == model


def at_the_gateway(rules, asked, more=()):
    """What the machine makes of the chat that a request speaks of."""
    body = {key: value for key, value in asked.items() if key not in ("text", "options")}
    body = {"model": "auto", "messages": [{"role": "user", "content": asked.get("text", "")}]} | body
    given_ = ((":method", "POST"), (":path", "/v1/chat/completions"), ("content-type", "application/json"), *more)
    state, _ = advance(rules, AwaitsHeaders(), RequestHeaders(given_, end_of_stream=False))
    state, action = advance(rules, state, RequestBody(json.dumps(body).encode()))
    if not isinstance(action, SendToModel | ImmediateResponse):
        found = FakeClassifier().classify(action.text)
        _, action = advance(rules, state, SignalsReady(found.label, found.probability))
    return action


CONTENT = st.text(st.sampled_from("ab 1Linux\n中"), min_size=1, max_size=12)
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system", "tool"]), "content": CONTENT}),
    min_size=1,
)


@pytest.fixture(scope="module")
def loop():
    """A loop that outlives an example."""
    with asyncio.Runner() as runner:
        yield runner


@examples(40)
@given(
    st.fixed_dictionaries({"text": CONTENT}) | st.fixed_dictionaries({"messages": MESSAGES}),
    st.sampled_from(["auto", "MoM", "phi4-mini", "nobody"]),
)
def test_evaluation_agrees_with_the_data_plane(loop, settings, asked, model):
    """Model, decision and answer are those of a gateway's request, whatever it says."""
    body = asked | {"model": model}

    async def whole():
        async with served(settings, classifiers={}, pool=fake()) as client:
            return await send(client, EVAL, body)

    status, answer, _ = loop.run(whole())
    action = at_the_gateway(MachineConfig(settings.program, settings.limits.maxBody), body)
    assert status == 200
    assert answer.get("routing_decision") == action.route
    assert answer.get("selected_model") == (action.model if isinstance(action, SendToModel) else None)
    assert answer.get("answer") == (
        {"status": action.status, "code": action.code} if isinstance(action, ImmediateResponse) else None
    )
