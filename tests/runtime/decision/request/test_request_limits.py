"""What cannot travel to a model is refused by the router: its API, a query, or a body that is too large for it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from support.request_machine import MATH, PHI, PROGRAM, drive, headers
from vsr_runtime.decision.program.build_limits import GROWTH, with_limits
from vsr_runtime.decision.program.effects import Effects, SystemPrompt
from vsr_runtime.decision.request.events import ImmediateResponse, RequestBody, SendToModel, SignalsReady
from vsr_runtime.decision.request.states import MachineConfig
from vsr_runtime.errors import UserError
from vsr_schemas.runtime import LimitSettings, ModelLimitSettings

PICKED = ModelLimitSettings(
    maxBody=500, apis=["/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/embeddings"], query=False
)
"""A model behind a picker that reads OpenAI's paths alone."""


def limited(program=PROGRAM, **models) -> MachineConfig:
    """Rules with a limit of 1,000 bytes, and further limits by model."""
    limits = LimitSettings(maxBody=1000, maxMessage=2000, models={"phi4-mini": PICKED} | models)
    return MachineConfig(with_limits(program, limits), 1000)


def sent(path, model, *, size=1, rules=None):
    """The action on a request with a body of at least this size."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "x" * size}]}).encode()
    first = headers(path=path)
    _, action = drive(first, rules=rules or limited())
    return action if isinstance(action, ImmediateResponse) else _after(first, body, rules or limited())


def _after(first, body, rules):
    _, action = drive(first, RequestBody(body), rules=rules)
    if not isinstance(action, SendToModel | ImmediateResponse):
        _, action = drive(first, RequestBody(body), SignalsReady("math", 0.9), rules=rules)
    return action


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages?beta=true"])
@pytest.mark.parametrize("model", ["phi4-mini", "auto"])
def test_an_api_that_a_model_cannot_get_is_404_in_the_form_of_that_api(path, model):
    """The client learns the model and what it serves, whether it named the model or the router chose it."""
    action = sent(path, model)
    error = json.loads(action.body)
    assert (action.status, action.code, action.model) == (404, "unsupported_path", "phi4-mini")
    assert error["type"] == "error"
    assert error["error"]["type"] == "not_found_error"
    assert "'phi4-mini' does not serve /v1/messages" in error["error"]["message"]
    assert "/v1/chat/completions, /v1/completions, /v1/responses, /v1/embeddings" in error["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/chat/completions?x=1", "/v1/chat/completions?"])
def test_a_query_that_a_model_cannot_get_is_400(path):
    """A picker that compares the end of the path takes the query for a part of it."""
    action = sent(path, "phi4-mini")
    assert (action.status, json.loads(action.body)["error"]["code"]) == (400, "unsupported_query")


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages?beta=true", "/v1/chat/completions?x=1"])
def test_a_model_without_limits_gets_every_api_and_query(path):
    """Limits of one model are not those of another."""
    assert isinstance(sent(path, "llama3-8b"), SendToModel)


@pytest.mark.parametrize(("path", "kind"), [("/v1/messages", "request_too_large"), ("/v1/chat/completions", None)])
def test_a_body_over_the_limit_of_its_model_is_413_in_the_form_of_the_api(path, kind):
    """The gateway buffers what the largest model accepts; the router knows which model it is."""
    small = limited(**{"phi4-mini": ModelLimitSettings(maxBody=500)})
    assert isinstance(sent(path, "phi4-mini", size=300, rules=small), SendToModel)
    assert isinstance(sent(path, "llama3-8b", size=600, rules=small), SendToModel)
    action = sent(path, "phi4-mini", size=600, rules=small)
    error = json.loads(action.body)["error"]
    assert (action.status, error["code"], action.model) == (413, "body_too_large", "phi4-mini")
    assert "500 bytes" in error["message"]
    assert error["type"] == (kind or "invalid_request_error")


@pytest.mark.parametrize(("model", "prompt", "size"), [("phi4-mini", 300, 150), ("llama3-8b", GROWTH + 100, 850)])
def test_a_body_that_grows_over_the_limit_is_413(model, prompt, size):
    """The body that is sent counts. The limit of all models allows additions, the limit of one model does not."""
    effects = Effects(system_prompt=SystemPrompt("p" * prompt, "insert"))
    target = PHI if model == "phi4-mini" else PROGRAM.models[model]
    rules = limited(replace(PROGRAM, routes=(replace(MATH, targets=((target, 100),), effects=effects),)))
    assert isinstance(sent("/v1/chat/completions", "auto", size=1, rules=rules), SendToModel)
    action = sent("/v1/chat/completions", "auto", size=size, rules=rules)
    assert (action.status, action.code) == (413, "body_too_large")


def test_a_limit_counts_bytes_and_not_characters():
    """Two bytes each: 300 of them are more than 500 bytes."""
    body = json.dumps({"model": "phi4-mini", "messages": [{"role": "user", "content": "ä" * 300}]}, ensure_ascii=False)
    _, action = drive(headers(), RequestBody(body.encode()), rules=limited())
    assert action.status == 413


def test_the_list_of_paths_in_the_404_is_what_some_model_serves():
    """Nothing is promised that the gateway in front refuses."""
    rules = limited(**{"llama3-8b": PICKED})
    for path in ("/v1/nothing", "/v1/messages", "/v1/messages?beta=true"):
        action = sent(path, "auto", rules=rules)
        message = json.loads(action.body)["error"]["message"]
        assert (action.status, action.code) == (404, "not_found")
        assert message.endswith("/v1/chat/completions, /v1/completions, /v1/responses, /v1/embeddings, /v1/models."), (
            message
        )
    assert "/v1/messages" in json.loads(sent("/v1/nothing", "auto").body)["error"]["message"]


def test_limits_of_an_unknown_model_are_rejected():
    """A misspelt name would leave the model without its limit."""
    with pytest.raises(UserError, match=r"limits\.models\.phi"):
        limited(phi=PICKED)
