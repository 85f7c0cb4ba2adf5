from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.program.build_reasoning import build_reasoning
from vsr_runtime.decision.program.effects import NO_TOOLS, Effects, ModelTarget, ParameterLimits, SystemPrompt
from vsr_runtime.decision.request.edits import edit_body
from vsr_runtime.decision.request.json_body import read_body
from vsr_schemas.routerconfig.reasoning_0_4_0 import FAMILIES

PLAIN = ModelTarget("m", "m")


def target(family: str, *, on: bool, effort: str | None = None, provider: str = "vllm") -> ModelTarget:
    """A model of a family with reasoning on or off."""
    return replace(PLAIN, reasoning=build_reasoning(FAMILIES[family], on=on, effort=effort, provider=provider))


def out(
    body: dict[str, object], chosen: ModelTarget = PLAIN, api: Api = Api.CHAT, **effects: object
) -> dict[str, object]:
    """The values of the body that goes to the model."""
    data = json.dumps(body).encode()
    changed = edit_body(read_body(data), api, chosen, Effects(**effects))
    return json.loads(data if changed is None else changed)


def test_unchanged_body_is_not_replaced():
    """Where the model has its name already and nothing else is to be done, the client's own body goes."""
    assert edit_body(read_body(b'{"model": "m" }'), Api.CHAT, PLAIN, Effects()) is None
    assert (
        edit_body(read_body(b'{"model": "m" }'), Api.CHAT, ModelTarget("m", "org/m"), Effects())
        == b'{"model": "org/m" }'
    )


def test_reasoning_goes_to_the_template():
    """The switch joins what the client gives its template, and the client's effort goes."""
    body = {"model": "auto", "reasoning_effort": "high", "chat_template_kwargs": {"x": 1, "enable_thinking": True}}
    assert out(body, target("qwen3", on=False)) == {
        "model": "m",
        "chat_template_kwargs": {"x": 1, "enable_thinking": False},
    }
    assert out({"model": "auto"}, target("qwen3", on=True))["chat_template_kwargs"] == {"enable_thinking": True}


def test_client_cannot_switch_reasoning_on_by_itself():
    """On an auto request the decision's word counts, at both places that a model might read."""
    body = {"model": "auto", "reasoning_effort": "high", "chat_template_kwargs": {"reasoning_effort": "high"}}
    assert out(body, target("gpt-oss", on=False)) == {"model": "m", "chat_template_kwargs": {}}
    assert out(body, target("gpt", on=True, effort="low", provider="openai"))["reasoning_effort"] == "low"


def test_model_without_a_family_keeps_the_clients_fields():
    """Where nothing is known of the model's reasoning, nothing is decided about it."""
    body = {"model": "auto", "reasoning_effort": "high"}
    assert out(body) == {"model": "m", "reasoning_effort": "high"}


def test_responses_have_the_effort_in_a_place_of_their_own():
    """Its other fields are kept, and the template's field is set as well."""
    body = {"model": "auto", "input": "x", "reasoning": {"effort": "high", "summary": "auto"}}
    changed = out(body, target("gpt-oss", on=True, effort="low"), Api.RESPONSES)
    assert changed["reasoning"] == {"effort": "low", "summary": "auto"}
    assert changed["chat_template_kwargs"] == {"reasoning_effort": "low"}
    assert out(body, target("gpt-oss", on=False), Api.RESPONSES)["reasoning"] == {"summary": "auto"}


@pytest.mark.parametrize("api", [Api.COMPLETIONS, Api.EMBEDDINGS])
def test_apis_without_a_template_are_left_alone(api):
    """A completion has no template to switch anything in."""
    assert out({"model": "auto", "prompt": "x"}, target("qwen3", on=True), api) == {"model": "m", "prompt": "x"}


def test_blocked_parameters_of_the_policy_are_kept():
    """A blocked parameter that the decision itself writes has the decision's value."""
    body = {"model": "auto", "chat_template_kwargs": {"secret": 1}, "system": "x"}
    blocked = ParameterLimits(blocked=("chat_template_kwargs", "system"))
    changed = out(body, target("qwen3", on=True), params=blocked)
    assert changed == {"model": "m", "chat_template_kwargs": {"enable_thinking": True}}


KEYS = st.sampled_from(
    ["max_tokens", "n", "tools", "tool_choice", "reasoning_effort", "chat_template_kwargs", "functions", "x", "stream"]
)
JUNK = st.sampled_from([None, 1, "a", [], {}, [1], {"a": 1}, {"enable_thinking": 1}, [{"type": "function"}], True])
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "system"]), "content": JUNK}), min_size=1, max_size=3
)


@given(
    extra=st.dictionaries(KEYS, JUNK),
    messages=MESSAGES,
    indent=st.sampled_from([None, 1]),
    first=st.booleans(),
    family=st.sampled_from(["qwen3", "gpt-oss", "nemotron-super", "qwen3.8"]),
    mode=st.sampled_from(["replace", "insert"]),
)
def test_all_edits_together_give_a_body_that_everybody_reads_alike(extra, messages, indent, first, family, mode):
    """Whatever a client sends, what goes out is strict JSON, has each key once, and what the policy demands."""
    own = {"model": "auto", "messages": messages}
    text = json.dumps(extra | own if first else own | extra, indent=indent)
    effects = Effects(
        system_prompt=SystemPrompt("P", mode),
        params=ParameterLimits(("x",), 5, 1),
        tools=NO_TOOLS,
    )
    data = edit_body(read_body(text.encode()), Api.CHAT, target(family, on=True), effects)
    values = read_body(data).values
    assert values["model"] == "m"
    assert values["messages"][0]["role"] == "system"
    assert "x" not in values
    assert "reasoning_effort" not in values
    assert not values.get("tools")
    assert values["chat_template_kwargs"]
    assert values.get("stream", "none") == extra.get("stream", "none")
