"""The default model is requested as a route without settings would request it."""

from __future__ import annotations

import json

from support.common import reference
from support.compiled_program import decide, machine


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
