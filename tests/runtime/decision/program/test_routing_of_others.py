"""Routes of others: the header that they match, and the name in the body, are in every request for a model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from support.cases import output_of
from support.common import ROOT
from vsr_runtime.decision.program.build_routing import with_routing
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.request.events import RequestBody, RequestHeaders, SendToModel
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig
from vsr_runtime.errors import UserError
from vsr_runtime.settings import load
from vsr_schemas.runtime import RoutingSettings

HEADER = "x-gateway-model-name"


def program() -> Program:
    """The program of a policy with three models."""
    return load(ROOT / "out" / "attach-kserve" / "router" / "config.yaml").program


def routing(**changes: str | None) -> RoutingSettings:
    """Return the settings for its models, with some changed or left out."""
    models = {"qwen": "publishers/a/models/q", "sql": "publishers/a/models/s", "granite": "g"} | changes
    return RoutingSettings.model_validate(
        {
            "header": HEADER,
            "models": {name: {"value": value, "model": f"{value}-body"} for name, value in models.items() if value},
        }
    )


def sent(model: str, text: str = "hello") -> SendToModel:
    """Return what becomes of a request."""
    rules = MachineConfig(with_routing(program(), routing()), 1 << 20)
    headers = ((":method", "POST"), (":path", "/v1/chat/completions"), ("content-type", "application/json"))
    state, _ = advance(rules, AwaitsHeaders(), RequestHeaders(headers, end_of_stream=False))
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    _, action = advance(rules, state, RequestBody(json.dumps(body).encode()))
    assert isinstance(action, SendToModel)
    return action


@pytest.mark.parametrize(
    ("model", "text", "value"),
    [
        ("qwen", "hello", "publishers/a/models/q"),
        ("auto", "join these tables", "publishers/a/models/s"),
        ("auto", "hello", "g"),
        ("publishers/a/models/s-body", "hello", "publishers/a/models/s"),
        ("publishers/a/models/s", "hello", "publishers/a/models/s"),
    ],
)
def test_a_request_carries_the_value_of_its_route_and_the_name_of_its_server(model: str, text: str, value: str) -> None:
    """Whether the client names the model, by either name, a route chooses it, or it is the default."""
    action = sent(model, text)
    assert dict(action.set_headers)[HEADER] == value
    changed = json.loads(action.body) if action.body else {"model": model}
    assert changed["model"] == f"{value}-body"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"other": "x"}, "routing.models.other: config.yaml has no model of this name"),
        ({"sql": None}, "routing.models.sql: is missing"),
    ],
)
def test_a_model_without_a_value_is_no_configuration(changes: dict[str, str | None], words: str) -> None:
    """A request for it would match whatever route the header of another one leads to, or none."""
    with pytest.raises(UserError, match=words):
        with_routing(program(), routing(**changes))


def test_several_attempts_are_no_configuration_with_routes_of_others(tmp_path: Path) -> None:
    """An attempt would be sent along a route that knows nothing of it."""
    (tmp_path / "credentials").mkdir()
    fallback = load(output_of("fallback") / "router" / "config.yaml", _keys(tmp_path)).program
    values = {name: {"value": name, "model": name} for name in fallback.models}
    with pytest.raises(UserError, match="several attempts"):
        with_routing(fallback, RoutingSettings.model_validate({"header": HEADER, "models": values}))


def _keys(folder: Path) -> Path:
    """A key for each provider of the policy."""
    for name in ("provider", "second", "third"):
        (folder / name).mkdir()
        (folder / name / "api-key").write_text("none", encoding="utf-8")
    return folder


def test_without_routes_of_others_nothing_is_added() -> None:
    """Our own routes match the selected model alone."""
    one = program()
    assert with_routing(one, None) is one
    assert all(not target.routed for target in replace(one).models.values())


def test_a_name_that_others_have_for_two_models_is_no_alias() -> None:
    """llm-d's header has the base model for an adapter, too."""
    known = {name: {"value": "base", "model": name} for name in ("qwen", "sql", "granite")}
    routed = with_routing(program(), RoutingSettings.model_validate({"header": HEADER, "models": known}))
    assert dict(routed.aliases) == {}
