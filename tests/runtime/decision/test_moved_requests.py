"""Requests that a limit moves to another model: which ones may move, and what they are sent as."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from support.compiled_program import machine
from vsr_runtime.decision.limits.ledger import Admitted, Ledger
from vsr_runtime.decision.request.events import RequestBody, RequestHeaders, SendToModel
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsBody, AwaitsHeaders, MachineConfig

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: moved}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  a: {service: {name: a}}
  b: {service: {name: b}}
models:
  large: {endpoints: a, reasoningFamily: qwen3, price: {prompt: 2, completion: 8}}
  small: {endpoints: b, reasoningFamily: qwen3, price: {prompt: 0.1, completion: 0.1}}
signals: {hard: {keywords: [prove]}}
apis: [chat, responses, embeddings]
routes: [{name: hard, when: {signal: hard}, model: large, reasoning: true, fallback: [small]}]
default: small
limits:
  - {name: budget, per: client, for: {model: large}, tokens: 1000000, window: 1d, over: {route: small}}
"""
CHAT, EMBEDDINGS, RESPONSES = "/v1/chat/completions", "/v1/embeddings", "/v1/responses"


@pytest.fixture(scope="module")
def rules() -> MachineConfig:
    """The policy as the router reads it."""
    return machine(POLICY)


def sent(rules: MachineConfig, body: dict[str, object], path: str = CHAT, moved: str | None = None) -> SendToModel:
    """The decision on a request, which a limit has moved."""
    headers = ((":method", "POST"), (":path", path), ("content-type", "application/json"))
    state, _ = advance(rules, AwaitsHeaders(), RequestHeaders(headers, end_of_stream=False))
    assert isinstance(state, AwaitsBody)
    action = advance(rules, replace(state, moved=moved), RequestBody(json.dumps(body).encode()))[1]
    assert isinstance(action, SendToModel)
    return action


def chat(**more: object) -> dict[str, object]:
    """A chat for the large model."""
    return {"model": "large", "messages": [{"role": "user", "content": "hello"}], **more}


@pytest.mark.parametrize("asked", [10**9, 10**30, 10**400])
def test_a_request_for_more_tokens_than_there_are_erases_no_count(rules: MachineConfig, asked: int) -> None:
    """Its model refuses it, and everything that was used before still counts."""
    ledger, rates = Ledger(), rules.program.rates
    assert rates is not None
    used = []
    for body, completion in ((chat(), 900_000), (chat(max_tokens=asked), 0)):
        claim = sent(rules, body).claim
        assert claim is not None
        admitted = ledger.admit(rates, claim, b"", 0.0)
        assert isinstance(admitted, Admitted)
        ledger.settle(rates, admitted, replace(claim.estimate, prompt=0, completion=completion))
        used += [count.used for _, count, _, _ in admitted.parts]
    assert used == [900_000, 900_000]


def test_a_request_that_is_given_up_counts_as_one_completion_at_most(rules: MachineConfig) -> None:
    """Not as the billion tokens that it asks for, or one client would use up the limit of all."""
    claim = sent(rules, chat(max_tokens=10**9)).claim
    assert claim is not None
    assert claim.estimate.completion == 131_072


@pytest.mark.parametrize(
    ("path", "body", "movable"),
    [
        (CHAT, chat(), True),
        (RESPONSES, {"model": "large", "input": "hello"}, True),
        (RESPONSES, {"model": "large", "input": "hello", "previous_response_id": "resp_1"}, False),
        (CHAT, chat(container="container_1"), False),
        (EMBEDDINGS, {"model": "large", "input": "hello"}, False),
    ],
)
def test_only_requests_that_another_model_can_answer_are_moved(
    rules: MachineConfig, path: str, body: dict[str, object], *, movable: bool
) -> None:
    """Embeddings of two models cannot be compared, and the other model does not have the state. Those get 429."""
    claim = sent(rules, body, path).claim
    assert claim is not None
    assert claim.movable is movable


def test_a_request_without_its_fallbacks_keeps_the_reasoning_of_its_route(rules: MachineConfig) -> None:
    """Its fallback is above a limit, so it goes to the route's own model alone, as the route says."""
    body = {"model": "auto", "messages": [{"role": "user", "content": "prove it"}]}
    alone = sent(rules, body, moved="large")
    assert json.loads(alone.body or b"{}")["chat_template_kwargs"] == {"enable_thinking": True}
    assert json.loads(sent(rules, body).body or b"{}")["chat_template_kwargs"] == {"enable_thinking": True}
