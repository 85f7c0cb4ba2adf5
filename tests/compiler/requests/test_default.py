"""The default model is requested as a route without settings would request it."""

from __future__ import annotations

import json

import pytest

from support.common import linked, reference
from support.compiled_program import decide, machine
from vsr_compiler.diagnostics import CompileError

MAPPING = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: thinking}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {qwen: {service: "qwen.models:8000"}}
models: {qwen: {endpoints: qwen, reasoningFamily: qwen3}}
signals: {prove: {keywords: [prove]}}
routes: [{name: proofs, when: {signal: prove}, model: qwen}]
default:
  model: qwen
  reasoning: true
  systemPrompt: Be brief.
  headers: {set: {x-tier: cheap}}
  params: {maxTokens: 100}
"""


def test_the_default_takes_the_effects_of_a_route() -> None:
    """Requests that no route matches get them, those of a route and of a named model do not."""
    config = machine(MAPPING)
    body = {"model": "auto", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 1000}
    action = decide(config, body)
    assert action.body is not None
    found = json.loads(action.body)
    assert (action.route, found["max_tokens"]) == ("default", 100)
    assert found["messages"][0] == {"role": "system", "content": "Be brief."}
    assert found["chat_template_kwargs"] == {"enable_thinking": True}
    assert dict(action.set_headers)["x-tier"] == "cheap"
    proof = decide(config, body | {"messages": [{"role": "user", "content": "prove it"}]})
    assert proof.route == "proofs"
    assert b"Be brief" not in (proof.body or b"")
    assert decide(config, body | {"model": "qwen"}).body is None


def test_a_default_with_effects_is_refused_beside_a_route_of_its_name() -> None:
    """Logs and tests could not tell them apart."""
    with pytest.raises(CompileError) as error:
        linked(MAPPING.replace("name: proofs", "name: default"))
    assert [item.code for item in error.value.diagnostics] == ["VSR211"]
    with pytest.raises(CompileError) as error:
        linked(MAPPING.replace("  model: qwen", "  model: gone"))
    assert [(item.code, item.span.line) for item in error.value.diagnostics] == [("VSR201", 10)]


def sent(text: str, model: str = "auto") -> dict[str, object]:
    """The body that the model gets, of a request that asks for much reasoning."""
    body = {"model": model, "messages": [{"role": "user", "content": text}], "reasoning_effort": "high"}
    policy = (reference() / "data/cases/bugs/15-default-keeps-thinking/policy.yaml").read_text(encoding="utf-8")
    action = decide(machine(policy), body)
    return body if action.body is None else json.loads(action.body)


def test_the_default_switches_reasoning_off_as_a_route_does() -> None:
    """Most of the traffic took no route, and thought."""
    assert sent("prove it")["chat_template_kwargs"] == {"enable_thinking": True}
    for text in ("ping", "hello"):
        body = sent(text)
        assert body["chat_template_kwargs"] == {"enable_thinking": False}
        assert "reasoning_effort" not in body


def test_a_named_model_keeps_what_its_client_says() -> None:
    """Only the router's own choice decides about reasoning."""
    assert sent("hello", "qwen")["reasoning_effort"] == "high"
