"""What configs of the stock router say of decisions, models and plugins, with that router's defaults."""

from __future__ import annotations

import copy
import json

import pytest

from runtime.decision.program.test_program_build import DATA, LABELS, TWO_MODELS, built, decision, plugins, put
from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.program.build import build
from vsr_runtime.decision.program.effects import CachePolicy, Effects, ParameterLimits, SystemPrompt
from vsr_runtime.decision.program.evaluation import decide
from vsr_runtime.decision.program.recipes import profiles, with_recipes
from vsr_runtime.decision.request.edits import edit_body
from vsr_runtime.decision.request.events import RequestBody, RequestHeaders, SendToModel
from vsr_runtime.decision.request.json_body import read_body
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders, MachineConfig
from vsr_runtime.decision.view import RequestView
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_yaml
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig

SAMPLE = read_yaml(DATA / "router" / "config.yaml")
DECISION = ("routing", "decisions", 0)
HELLO = RequestView("hello", 5, ("user",))
INLINE = {"type": "reasoning_effort", "parameter": "effort", "levels": ["low", "high"]}
MODES = {"modes": ["enabled", "disabled"], "default_mode": "enabled"}


def test_static_and_no_algorithm_choose_the_first_of_several_models():
    """Weights count for no stock selector but one that asks several models."""
    for algorithm in (None, {"type": "static"}):

        def change(document, algorithm=algorithm):
            put(*DECISION, "modelRefs", value=[{**TWO_MODELS[1], "weight": 0.1}, TWO_MODELS[0]])(document)
            put(*DECISION, "algorithm", value=algorithm)(document)

        assert [target.name for target, _ in built(change).routes[0].targets] == ["phi4-mini"]


@pytest.mark.parametrize("name", ["knn", "prompt", "workflows"])
def test_other_algorithms_are_refused_by_name(name):
    """They need models or several requests for one."""
    with pytest.raises(ValueError, match="algorithm"):
        built(put(*DECISION, "algorithm", value={"type": name}))


def test_decision_without_models_keeps_its_plugins_at_the_default_model():
    """The default model serves, without reasoning."""

    def change(document):
        plugins(("system_prompt", {"system_prompt": "Be brief."}))(document)
        put(*DECISION, "modelRefs", value=[])(document)

    program = built(change)
    route = program.routes[0]
    assert [target for target, _ in route.targets] == [program.default_target]
    assert route.effects.system_prompt == SystemPrompt("Be brief.", "insert")


def test_decision_without_rules_always_holds_and_a_rule_may_be_one_leaf():
    """Both are forms of the stock router's configs; the leaf wins with its priority."""

    def change(document):
        document["routing"]["signals"]["keywords"] = [{"name": "k", "operator": "OR", "keywords": ["hello"]}]
        first, last = decision("word", 9), decision("rest", 0, "phi4-mini")
        first["rules"] = {"type": "keyword", "name": "k"}
        del last["rules"], last["priority"], last["description"]
        document["routing"]["decisions"] = [first, last]

    program = built(change)
    assert decide(program, HELLO).route.name == "word"
    assert decide(program, RequestView("a", 1, ("user",))).route.name == "rest"


def test_tiers_and_strategy_of_the_config_order_its_decisions():
    """A decision of tier 1 wins over a higher priority; with the strategy ``confidence`` the surer one does."""

    def change(document):
        document["routing"]["decisions"] = [decision("high", 9), {**decision("first", 1), "tier": 1}]

    assert decide(built(change), HELLO).route.name == "high"  # of tier 0, which is before 1

    def both(document):
        document["routing"]["decisions"] = [{**decision("high", 9), "tier": 2}, {**decision("first", 1), "tier": 1}]

    assert decide(built(both), HELLO).route.name == "first"

    def sure(document):
        document["routing"]["strategy"] = "confidence"
        document["routing"]["signals"]["keywords"] = [{"name": "k", "operator": "OR", "keywords": ["hello"]}]
        word = decision("word", 1, operator="OR", conditions=[{"type": "keyword", "name": "k"}])
        document["routing"]["decisions"] = [decision("all", 9), word]

    assert decide(built(sure), HELLO).route.name == "word"


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ({"enabled": True}, CachePolicy(3600.0, 0.8)),
        ({"similarity_threshold": 0.92, "ttl_seconds": 60}, CachePolicy(60.0, 0.92)),
        ({"mode": "exact", "scope": "global"}, CachePolicy(3600.0, None, shared=True)),
        ({"mode": "exact_then_semantic", "semantic": {"similarity_threshold": 0.9}, "scope": "team"}, "team"),
        ({"enabled": False}, None),
        ({"ttl_seconds": 0}, None),
    ],
)
@pytest.mark.parametrize("name", ["response_cache", "semantic-cache"])
def test_cache_of_a_decision_has_the_defaults_of_the_stock_router(name, configuration, expected):
    """Users do not share answers unless the config says so; both names and both forms mean the same."""
    cache = built(plugins((name, configuration))).routes[0].effects.cache
    assert cache == (CachePolicy(3600.0, 0.9, scope="team") if expected == "team" else expected)


def test_disabled_plugins_do_nothing_and_a_fixed_answer_comes_before_others():
    """Neither is an error."""
    off = built(plugins(("system_prompt", {"enabled": False, "system_prompt": "x"}), ("tools", {"enabled": False})))
    assert off.routes[0].effects == Effects()
    fixed = built(plugins(("tools", {"enabled": True, "mode": "none"}), ("fast_response", {"message": "No."})))
    assert fixed.routes[0].effects == Effects(static_response="No.")


def edited(effects: Effects, api: Api = Api.CHAT, **values: object) -> dict[str, object]:
    """The body that the model gets."""
    target = built().models["llama3-8b"]
    body = read_body(json.dumps({"model": target.served_as, **values}).encode())
    data = edit_body(body, api, target, effects)
    return json.loads(data if data is not None else body.text)


def test_header_mutation_adds_as_it_updates():
    """Both set the header."""
    pairs = [{"name": "X-A", "value": "1"}], [{"name": "x-b", "value": "2"}]
    effects = built(plugins(("header_mutation", {"add": pairs[0], "update": pairs[1]}))).routes[0].effects
    assert effects.set_headers == (("x-a", "1"), ("x-b", "2"))


def test_fields_that_are_not_documented_are_stripped():
    """``strip_unknown`` keeps what the API of the request documents."""
    effects = Effects(params=ParameterLimits(known_only=True))
    assert edited(effects, messages=[], guided_json={}, seed=1).keys() == {"model", "messages", "seed"}
    assert edited(effects, Api.RESPONSES, input="a", guided_json={}).keys() == {"model", "input"}


@pytest.mark.parametrize(
    ("given", "expected"), [({}, 100), ({"max_tokens": None}, 100), ({"max_tokens": 7}, 7), ({"max_tokens": 900}, 500)]
)
def test_default_length_of_a_response_counts_if_the_client_states_none(given, expected):
    """The limit holds for both."""
    effects = built(plugins(("request_params", {"default_max_tokens": 100, "max_tokens_limit": 500}))).routes[0].effects
    assert edited(effects, messages=[], **given)["max_tokens"] == expected


def reasoned(reasoning=None, defaults=None, *, family=None, provider=None, **ref: object):
    """The reasoning of a decision's model after a change of its provider."""

    def change(document):
        model = next(one for one in document["providers"]["models"] if one["name"] == "phi4-mini")
        model.pop("reasoning", None)
        if reasoning is not None:
            model["reasoning"] = reasoning
        if family is not None:
            model["reasoning_family"] = family
        if provider is not None:
            model["backend_refs"] = [{**one, "provider": provider} for one in model["backend_refs"]]
        document["providers"]["defaults"] |= defaults or {}
        document["routing"]["decisions"] = [decision("a", 1, "phi4-mini")]
        document["routing"]["decisions"][0]["modelRefs"][0] |= ref

    return built(change).routes[0].targets[0][0].reasoning


def test_family_of_the_models_own_is_applied_as_one_of_the_release():
    """Its parameter is set in the template's arguments, its switch with it."""
    own = {**INLINE, **MODES, "activation_parameter": "think"}
    assert reasoned(own, use_reasoning=True, reasoning_effort="low").template == {"think": True, "effort": "low"}
    assert reasoned(own, use_reasoning=True, defaults={"reasoning_effort": "high"}).template["effort"] == "high"
    assert reasoned(own).template["think"] is False
    top = reasoned(
        {**INLINE, "type": "top_level_reasoning_effort", "parameter": "reasoning_effort"}, use_reasoning=True
    )
    assert top.top == {"reasoning_effort": "low"}
    mode = {
        "type": "reasoning_mode",
        "parameter": "thinking",
        "modes": ["enabled", "adaptive"],
        "default_mode": "enabled",
    }
    assert reasoned(mode, use_reasoning=True, reasoning_mode="adaptive").template == {"thinking": "adaptive"}


@pytest.mark.parametrize(
    ("reasoning", "ref", "message"),
    [
        ({"family": "qwen3", "type": "reasoning_mode"}, {}, "a family and fields of its own"),
        ({"parameter": "x"}, {}, "needs a family, or a type and a parameter"),
        ({"type": "reasoning_effort", "parameter": "x"}, {}, "needs levels"),
        ({**INLINE, "default": "max"}, {}, "'max' is not among the levels"),
        ({**INLINE, "modes": ["enabled"]}, {}, "modes and default_mode need each other"),
        ({**INLINE, "effort_flags": {"low": "f"}}, {}, "effort_flags needs activation_parameter"),
        ({**INLINE, "activation_parameter": "effort"}, {}, "its parameters must differ"),
        (INLINE, {"use_reasoning": True, "reasoning_effort": "max"}, "'max' is not supported"),
        (INLINE, {"use_reasoning": True, "reasoning_mode": "adaptive"}, "'adaptive' is not supported"),
        ({**INLINE, **MODES}, {"reasoning_mode": "enabled"}, "contradicts use_reasoning: false"),
    ],
)
def test_family_that_contradicts_itself_is_refused(reasoning, ref, message):
    """As the stock router's validator refuses it."""
    with pytest.raises(UserError) as error:
        reasoned(reasoning, **ref)
    assert message in str(error.value)


FAMILIES = {
    "reasoning_families": {
        "switch": {"type": "chat_template_kwargs", "parameter": "thinking"},
        "effort": {"type": "reasoning_effort", "parameter": "reasoning_effort"},
        "top": {"type": "top_level_reasoning_effort", "parameter": "reasoning_effort"},
    }
}


def body_of(thinking, **values: object) -> dict[str, object]:
    """The body of a chat after its reasoning was set."""
    from dataclasses import replace  # noqa: PLC0415

    target = replace(built().models["llama3-8b"], reasoning=thinking)
    body = read_body(json.dumps({"model": target.served_as, "messages": [], **values}).encode())
    result = json.loads(edit_body(body, Api.CHAT, target, Effects()) or body.text)
    return {name: value for name, value in result.items() if name not in ("model", "messages")}


@pytest.mark.parametrize(
    ("family", "on", "given", "expected"),
    [
        ("switch", True, {}, {"chat_template_kwargs": {"thinking": True}}),
        ("switch", False, {"reasoning_effort": "high"}, {"chat_template_kwargs": {"thinking": False}}),
        ("effort", True, {"reasoning_effort": "low"}, {"chat_template_kwargs": {"reasoning_effort": "high"}}),
        ("effort", False, {"reasoning_effort": "max"}, {"chat_template_kwargs": {"reasoning_effort": "max"}}),
        ("effort", False, {}, {"chat_template_kwargs": {"reasoning_effort": "low"}}),
        ("top", True, {}, {"reasoning_effort": "high"}),
        ("top", False, {"reasoning_effort": "max"}, {"reasoning_effort": "max"}),
        ("top", False, {}, {}),
    ],
)
def test_families_of_release_0_3_0_edit_the_body_as_that_release_does(family, on, given, expected):
    """With the config's default effort; without reasoning the client's own effort stays."""
    thinking = reasoned(family=family, defaults={**FAMILIES, "reasoning_effort": "high"}, use_reasoning=on)
    assert body_of(thinking, **given) == expected


def test_family_of_release_0_3_0_must_be_defined():
    """Its name is looked up in the config only."""
    with pytest.raises(UserError, match="'none' is not defined under"):
        reasoned(family="none", defaults=FAMILIES)


def recipes(**changes: object):
    """A program with a recipe ``code`` of its own decisions, and the name ``my/code`` for it."""
    document = copy.deepcopy(SAMPLE)
    own = {
        "signals": {"keywords": [{"name": "k", "operator": "OR", "keywords": ["def"]}]},
        "decisions": [decision("math", 1, "phi4-mini", operator="OR", conditions=[{"type": "keyword", "name": "k"}])],
    }
    document["recipes"] = [{"name": "code", "routing": own}]
    document["entrypoints"] = [{"model_names": ["my/code"], "recipe": "code"}]
    document |= changes
    main, others = profiles(RouterConfig.model_validate(document))
    return with_recipes(build(main, LABELS), {name: build(one, LABELS) for name, one in others.items()})


def routed(program, model: str, text: str) -> SendToModel:
    """Where a chat goes."""
    headers = RequestHeaders(
        (
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            ("content-type", "application/json"),
        ),
        end_of_stream=False,
    )
    config = MachineConfig(program, 1 << 20)
    state, _ = advance(config, AwaitsHeaders(), headers)
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": text}]}).encode()
    _, action = advance(config, state, RequestBody(body))
    return action


def test_requested_name_chooses_the_recipe_that_decides():
    """Decisions of the same name are told apart, and a recipe never falls back to another's decisions."""
    program = recipes()
    assert program.names[:3] == (*program.auto_names, "my/code")
    action = routed(program, "my/code", "def f(): pass")
    assert isinstance(action, SendToModel)
    assert (action.route, action.model) == ("code/math", "phi4-mini")
    other = routed(program, "my/code", "an integral")
    assert isinstance(other, SendToModel)
    assert (other.route, other.model) == (None, program.default)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"entrypoints": [{"model_names": ["a"], "recipe": "no"}]}, "recipe 'no' is not defined under recipes"),
        ({"entrypoints": [{"model_names": ["auto"], "recipe": "code"}]}, "'auto' is also a model or an auto name"),
        ({"entrypoints": [{"model_names": ["phi4-mini"], "recipe": "code"}]}, "'phi4-mini' is also a model"),
        ({"entrypoints": [{"model_names": ["a", "a"], "recipe": "code"}]}, "'a' is duplicated"),
        ({"recipes": [{"name": "default", "routing": {"strategy": "priority"}}], "entrypoints": []}, "conflicts with"),
    ],
)
def test_recipes_that_contradict_the_config_are_refused(changes, message):
    """As the stock router refuses them."""
    with pytest.raises(UserError) as error:
        recipes(**changes)
    assert message in str(error.value)
