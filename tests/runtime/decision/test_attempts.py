"""Attempts in the state machine: which models a request lists, and what one attempt is sent as."""

from __future__ import annotations

import json

import pytest

from support.compiled_program import machine
from vsr_runtime.decision.request.events import ImmediateResponse, RequestBody, RequestHeaders, SendToModel
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders

POLICY = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: small}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints:
  a: {service: {name: a}}
  b: {service: {name: b}}
  c: {service: {name: c}}
models:
  one: {endpoints: a}
  two: {endpoints: b, context: 1000}
  three: {endpoints: c}
default: {model: one, fallback: [two, three], retry: {attempts: 5}}
"""
HEADERS = ((":method", "POST"), (":path", "/v1/chat/completions"), ("content-type", "application/json"))


def sent(text: str = "hello", *, attempt: bool = False, body: bytes | None = None, **headers: str):
    """What the machine does with a request."""
    rules = machine(POLICY)
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    state, action = advance(rules, AwaitsHeaders(attempt), RequestHeaders((*HEADERS, *named), end_of_stream=False))
    if isinstance(action, ImmediateResponse):
        return action
    data = body or json.dumps({"model": "auto", "messages": [{"role": "user", "content": text}]}).encode()
    return advance(rules, state, RequestBody(data))[1]


def test_a_request_lists_its_models_and_the_number_of_further_attempts() -> None:
    """For the proxy, in headers that no client can send."""
    action = sent()
    assert isinstance(action, SendToModel)
    headers = dict(action.set_headers)
    assert headers["x-selected-model"] == "vsr-route/default"
    assert headers["x-vsr-chain"] == "one two three"
    assert headers["x-envoy-max-retries"] == "4"


def test_the_list_ends_before_a_model_that_cannot_hold_the_request() -> None:
    """With nothing behind the first model, the request is sent once and by the model's own route."""
    action = sent("word " * 2000)
    assert isinstance(action, SendToModel)
    assert dict(action.set_headers)["x-selected-model"] == "one"
    assert "x-vsr-chain" not in dict(action.set_headers)


@pytest.mark.parametrize(("number", "model"), [("1", "one"), ("2", "two"), ("3", "three"), ("4", "one"), ("5", "two")])
def test_an_attempt_goes_to_its_model(number: str, model: str) -> None:
    """In the order of the list, which then begins again."""
    chain = {"x_selected_model": "vsr-route/default", "x_vsr_chain": "one two three", "x_envoy_attempt_count": number}
    action = sent(attempt=True, **chain)
    assert isinstance(action, SendToModel)
    assert (action.model, action.attempt, json.loads(action.body or b"{}")["model"]) == (model, int(number), model)
    assert "x-vsr-chain" in action.remove_headers


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x_selected_model": "vsr-route/gone", "x_vsr_chain": "one", "x_envoy_attempt_count": "1"},
        {"x_selected_model": "vsr-route/default", "x_vsr_chain": "four", "x_envoy_attempt_count": "1"},
        {"x_selected_model": "vsr-route/default", "x_vsr_chain": "one two"},
        {"x_selected_model": "vsr-route/default", "x_vsr_chain": "one", "x_envoy_attempt_count": "0"},
        {"x_selected_model": "vsr-route/default", "x_vsr_chain": "one", "x_envoy_attempt_count": "-1"},
        {"x_selected_model": "vsr-route/default", "x_vsr_chain": "one", "x_envoy_attempt_count": "9" * 400},
        {"x_selected_model": "vsr-route/default", "x_vsr_chain": "", "x_envoy_attempt_count": "1"},
    ],
)
def test_an_attempt_that_the_policy_does_not_know_reaches_no_model(headers: dict[str, str]) -> None:
    """As after a reload, or from a proxy that does not count."""
    action = sent(attempt=True, **headers)
    assert isinstance(action, ImmediateResponse)
    assert (action.status, action.code) == (503, "unknown_attempt")


def test_headers_of_an_attempt_mean_nothing_on_the_first_listener() -> None:
    """A client's own are ignored: the decision is the router's."""
    action = sent(x_selected_model="vsr-route/default", x_vsr_chain="three", x_envoy_attempt_count="3")
    assert isinstance(action, SendToModel)
    assert action.attempt == 0
    assert dict(action.set_headers)["x-vsr-chain"] == "one two three"
