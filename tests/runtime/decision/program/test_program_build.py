from __future__ import annotations

import copy

import pytest

from support.runtime_fakes import DATA
from vsr_runtime.decision.program.build import build
from vsr_runtime.decision.program.conditions import SignalValues
from vsr_runtime.decision.program.effects import NO_TOOLS, ModelTarget, ParameterLimits, SystemPrompt, ToolFilter
from vsr_runtime.decision.program.evaluation import decide
from vsr_runtime.decision.view import RequestView
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_yaml
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig

SAMPLE = read_yaml(DATA / "router" / "config.yaml")
LABELS = frozenset({"math", "computer science", "law"})
HELLO = RequestView("hello", 5, ("user",))


def built(change=None, labels=LABELS, splits=None):
    """The program of the sample config after a change of the document."""
    document = copy.deepcopy(SAMPLE)
    if change:
        change(document)
    return build(RouterConfig.model_validate(document), labels, None, splits)


def served(program, category=None, view=HELLO) -> str:
    """The model that serves a request of this category."""
    outcome = decide(program, view, program.with_category(SignalValues(), category, None))
    return outcome.route.target(0).name if outcome.route else program.default


def decision(name: str, priority: int, model: str = "llama3-8b", **rules: object) -> dict[str, object]:
    """A decision of the config, the catch-all if no rules are given."""
    rules = rules or {"operator": "AND", "conditions": []}
    return {
        "name": name,
        "description": "",
        "priority": priority,
        "rules": rules,
        "modelRefs": [{"model": model}],
    }


def test_sample_policy_routes_mathematics():
    """The sample policy sends mathematics to phi4-mini and the rest to the default."""
    program = built()
    assert tuple(program.models) == ("llama3-8b", "phi4-mini")
    assert program.auto_names == ("auto", "MoM")
    assert served(program, "math") == "phi4-mini"
    assert served(program, "computer science") == "llama3-8b"


def test_higher_priority_wins_then_the_name():
    """Decisions are tried by falling priority, and those of one priority by name, whatever their order in the file."""

    def change(document):
        document["routing"]["decisions"] = [decision("b", 1), decision("a", 1), decision("z", 7)]

    assert [route.name for route in built(change).routes] == ["z", "a", "b"]


def test_keyword_wins_over_a_probable_category_of_the_same_priority():
    """Of decisions of one priority the more confident one serves, as in the stock router; names count last."""

    def change(document):
        document["routing"]["signals"]["keywords"] = [KEYWORD]
        document["routing"]["decisions"] = [
            decision("a-math", 9, operator="OR", conditions=[{"type": "domain", "name": "math"}]),
            decision("b-word", 9, "phi4-mini", operator="OR", conditions=[{"type": "keyword", "name": "k"}]),
        ]

    program = built(change)
    view = RequestView("a", 1, ("user",))
    assert decide(program, view).kinds == {"category"}
    for probability, name in ((0.7, "b-word"), (1.0, "a-math")):
        known = program.with_category(decide(program, view).signals, "math", probability)
        assert decide(program, view, known).route.name == name


def test_domain_without_mmlu_categories_is_its_own_label():
    """A category of the policy's own is matched by its name."""

    def change(document):
        document["routing"]["signals"]["domains"][0] = {"name": "law", "description": ""}
        document["routing"]["decisions"][0]["rules"]["conditions"][0]["name"] = "law"

    assert served(built(change), "law") == "phi4-mini"


def test_domain_may_have_several_labels():
    """A domain signal holds for each label that it lists."""

    def change(document):
        document["routing"]["signals"]["domains"][0]["mmlu_categories"] = ["math", "law"]

    program = built(change)
    assert {served(program, label) for label in ("math", "law")} == {"phi4-mini"}


def put(*path: object, value: object):
    """A change of the document at a path."""

    def change(document):
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


DECISION = ("routing", "decisions", 0)
KEYWORD = {"name": "k", "operator": "OR", "keywords": ["a"]}
TWO_MODELS = [{"model": "llama3-8b"}, {"model": "phi4-mini"}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put(*DECISION, "modelRefs", 0, "model", value="gpt"), "routing.decisions[0].modelRefs[0].model: model 'gpt'"),
        (put(*DECISION, "modelRefs", 0, "use_reasoning", value=True), None),
        (put(*DECISION, "modelRefs", 0, "reasoning_effort", value="low"), None),
        (put(*DECISION, "modelRefs", 0, "lora_name", value="x"), "modelRefs[0].lora_name: 'x' is not an adapter of"),
        (put(*DECISION, "rules", "conditions", 0, "name", value="x"), "decisions[0].rules: domain 'x' is not defined"),
        (put(*DECISION, "rules", "conditions", 0, "type", value="keyword"), "rules: keyword 'math' is not defined"),
        (put(*DECISION, "rules", "operator", value="NOT"), None),
        (put(*DECISION, "rules", value={"operator": "NOT", "conditions": []}), "NOT takes exactly one condition"),
        (
            put("routing", "decisions", value=[decision("a", 1), decision("a", 2)]),
            "routing.decisions: 'a' is duplicated",
        ),
        (put("providers", "defaults", "model", value="gpt"), "providers.defaults.model: model 'gpt' is not defined"),
        (put("providers", "models", 1, "name", value="llama3-8b"), "providers.models: 'llama3-8b' is duplicated"),
        (put("providers", "models", 1, "name", value="häl"), "cannot be sent in a header"),
        (put("providers", "models", 1, "name", value="a\nb"), "cannot be sent in a header"),
        (put("providers", "models", 1, "name", value=" a"), "cannot be sent in a header"),
        (put("providers", "models", 1, "name", value=""), "cannot be sent in a header"),
        (put("providers", "models", 1, "name", value="a" * 257), "cannot be sent in a header"),
        (put("providers", "models", 1, "provider_model_id", value=""), "models[1].provider_model_id: is empty"),
        (
            put("routing", "modelCards", 0, "loras", value=[{"name": "phi4-mini"}]),
            "modelCards: 'phi4-mini' is duplicated",
        ),
        (put("routing", "modelCards", 0, "loras", value=[{"name": "ä"}]), "cannot be sent in a header"),
        (
            put("routing", "signals", "keywords", value=[KEYWORD, KEYWORD]),
            "routing.signals.keywords: 'k' is duplicated",
        ),
        (
            put("routing", "signals", "keywords", value=[KEYWORD | {"keywords": []}]),
            "keywords[0]: keyword 'k': it has no",
        ),
        (
            put("routing", "signals", "keywords", value=[KEYWORD | {"method": "regex", "keywords": ["(?=a)"]}]),
            "keywords[0]: keyword 'k': the pattern '(?=a)' cannot be run in linear time (invalid perl operator: (?=)",
        ),
        (
            put("routing", "signals", "context", value=[{"name": "c"}]),
            "signals.context[0]: context 'c': it has neither",
        ),
        (put("providers", "models", 1, "provider_model_id", value="phi4-mini"), None),
        (put("routing", "modelCards", 0, "name", value="gpt"), "routing.modelCards[0].name: model 'gpt'"),
        (put("routing", "modelCards", 0, "name", value="phi4-mini"), "routing.modelCards: 'phi4-mini' is duplicated"),
        (
            put("routing", "signals", "domains", 1, "name", value="math"),
            "routing.signals.domains: 'math' is duplicated",
        ),
        (put("global", "router", "auto_model_names", value=["auto", "auto"]), "auto_model_names: 'auto' is duplicated"),
        (put("global", "router", "auto_model_names", value=["phi4-mini"]), None),
    ],
)
def test_inconsistent_config_is_rejected_by_name(change, message):
    """A name that is unknown, duplicated or unusable, or an unsupported feature, is an error with its position."""
    if message is None:
        built(change)
        return
    with pytest.raises(UserError) as error:
        built(change)
    assert message in str(error.value)
    assert str(error.value).startswith("config.yaml: ")


@pytest.mark.parametrize("labels", [frozenset(), frozenset({"math"})])
def test_domain_that_no_classifier_recognises_is_rejected(labels):
    """A signal that could never hold is an error, used or not, instead of a route that silently never matches."""
    with pytest.raises(UserError, match="which no classifier"):
        built(labels=labels)


def test_signals_are_found_by_type_and_name():
    """A leaf asks for the signal of its type; names may be the same in several collections."""

    def change(document):
        signals = document["routing"]["signals"]
        signals["keywords"] = [KEYWORD]
        signals["context"] = [{"name": "k", "min_tokens": "3"}]
        signals["conversation"] = [conversation := {"name": "k", "predicate": {"gte": 2.0}}]
        conversation["feature"] = {"type": "count", "source": {"type": "message"}}
        signals["structure"] = [structure := {"name": "k", "predicate": {"gte": 2.0}}]
        structure["feature"] = {"type": "count", "source": {"type": "regex", "pattern": "!"}}
        document["routing"]["decisions"] = [
            decision(kind, 9 - number, operator="AND", conditions=[{"type": kind, "name": "k"}])
            for number, kind in enumerate(("keyword", "context", "structure", "conversation"))
        ]

    program = built(change)
    assert program.needs == frozenset()
    for view, name in (
        (RequestView("a", 1, ("user",)), "keyword"),
        (RequestView("b", 9, ("user",)), "context"),
        (RequestView("!!", 2, ("user",)), "structure"),
        (RequestView("b", 1, ("user", "user")), "conversation"),
    ):
        assert decide(program, view).route.name == name


def test_adapter_is_a_name_of_its_own():
    """A client can request an adapter, and a decision can select it by name."""

    def change(document):
        document["routing"]["modelCards"][1]["loras"] = [{"name": "math-lora"}]
        document["routing"]["decisions"][0]["modelRefs"] = [{"model": "phi4-mini", "lora_name": "math-lora"}]

    program = built(change)
    assert program.models["math-lora"] == ModelTarget("math-lora", "math-lora")
    assert served(program, "math") == "math-lora"


def test_model_is_served_under_its_provider_id():
    """Routes match the alias, the server hears the provider's id."""
    program = built(put("providers", "models", 1, "provider_model_id", value="org/phi"))
    assert program.models["phi4-mini"] == ModelTarget("phi4-mini", "org/phi")


def test_shares_are_those_of_the_settings():
    """Each of a decision's models has its share, in the decision's order."""
    shares = {"phi4-mini": 30, "llama3-8b": 70}
    program = built(put(*DECISION, "modelRefs", value=TWO_MODELS), splits={"math": shares})
    assert [(target.name, share) for target, share in program.routes[0].targets] == [
        ("llama3-8b", 70),
        ("phi4-mini", 30),
    ]


@pytest.mark.parametrize(
    ("splits", "message"),
    [
        ({"math": {"llama3-8b": 50, "phi4-mini": 49}}, "splits.math: the shares must add up to 100, not 99"),
        ({"math": {"llama3-8b": 101, "phi4-mini": -1}}, "splits.math: the shares must add up to 100"),
        ({"math": {"llama3-8b": 100}}, "splits.math: must name the decision's models: llama3-8b, phi4-mini"),
        ({"math": {"llama3-8b": 50, "gpt": 50}}, "splits.math: must name the decision's models"),
        ({"law": {"llama3-8b": 100}}, "splits.law: config.yaml has no decision of this name"),
    ],
)
def test_inconsistent_shares_are_rejected(splits, message):
    """Shares name exactly the decision's models and add up to 100."""
    with pytest.raises(UserError) as error:
        built(put(*DECISION, "modelRefs", value=TWO_MODELS), splits=splits)
    assert str(error.value).startswith(f"runtime.yaml: {message}")


def test_duplicate_model_in_a_decision_is_rejected():
    """Two shares of one model would be one."""
    twice = [{"model": "phi4-mini"}, {"model": "phi4-mini"}]
    with pytest.raises(UserError, match=r"modelRefs: 'phi4-mini' is duplicated"):
        built(put(*DECISION, "modelRefs", value=twice), splits={"math": {"phi4-mini": 100}})


def reasoning(family: str, provider: str | None = None, **ref: object):
    """A change that gives the decision's model a family, and asks for reasoning."""

    def change(document):
        model = document["providers"]["models"][1]
        model["reasoning"] = {"family": family}
        if provider:
            model["backend_refs"] = [model["backend_refs"][0] | {"provider": name} for name in provider.split()]
        document["routing"]["decisions"][0]["modelRefs"] = [{"model": "phi4-mini"} | ref]

    return change


def test_family_says_how_reasoning_is_switched():
    """A decision's target carries the fields; a model that the client names is left as it is."""
    program = built(reasoning("qwen3", use_reasoning=True))
    target = program.routes[0].target(0)
    assert target.reasoning.template == {"enable_thinking": True}
    assert program.models["phi4-mini"].reasoning is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (reasoning("qwen9"), "providers.models: phi4-mini: reasoning.family: 'qwen9' is not known"),
        (reasoning("qwen3", use_reasoning=True, reasoning_effort="low"), "reasoning_effort: the model's family only"),
        (
            reasoning("gpt-oss", use_reasoning=True, reasoning_effort="max"),
            "reasoning_effort: the effort 'max' is not supported",
        ),
        (reasoning("gpt-oss", reasoning_effort="low"), "reasoning_effort: an effort needs use_reasoning: true"),
        (reasoning("gpt-oss", "vllm openai"), "backend_refs: reasoning needs backends of one provider"),
    ],
)
def test_unsupported_reasoning_is_rejected(change, message):
    """Families and efforts must be known, and the place of the effort must be one."""
    with pytest.raises(UserError) as error:
        built(change)
    assert message in str(error.value)


def plugins(*configured: tuple[str, dict[str, object]]):
    """A change that gives the decision plugins."""
    return put(*DECISION, "plugins", value=[{"type": name, "configuration": given} for name, given in configured])


def test_plugins_become_effects():
    """Each plugin is one effect; names of headers are lower case."""
    change = plugins(
        ("system_prompt", {"system_prompt": "Hi", "mode": "insert"}),
        ("header_mutation", {"update": [{"name": "X-Team", "value": "a b"}], "delete": ["X-Old"]}),
        ("request_params", {"blocked_params": ["logprobs"], "max_tokens_limit": 9, "max_n": 1}),
        ("tools", {"mode": "filtered", "allow_tools": ["a"], "block_tools": ["b"]}),
    )
    effects = built(change).routes[0].effects
    assert effects.system_prompt == SystemPrompt("Hi", "insert")
    assert (effects.set_headers, effects.remove_headers) == ((("x-team", "a b"),), ("x-old",))
    assert effects.params == ParameterLimits(("logprobs",), 9, 1)
    assert effects.tools == ToolFilter(frozenset({"a"}), frozenset({"b"}))
    assert built(plugins(("tools", {"mode": "none"}))).routes[0].effects.tools == NO_TOOLS


def test_fixed_answer_needs_no_model():
    """A decision that answers by itself may name no model."""
    answering = plugins(("fast_response", {"message": "No."}))

    def change(document):
        answering(document)
        document["routing"]["decisions"][0]["modelRefs"] = []

    (route,) = built(change).routes
    assert (route.effects.static_response, route.targets) == ("No.", ())


def header(name: str, value: str = "a"):
    """A plugin that sets a header."""
    return plugins(("header_mutation", {"update": [{"name": name, "value": value}]}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (header("X-Selected-Model"), "the header 'x-selected-model' must not be changed"),
        (header("Content-Length"), "the header 'content-length' must not be changed"),
        (header("X-Authz-User-Id"), "the header 'x-authz-user-id' must not be changed"),
        (header(":path"), "':path' is not a header name"),
        (header("a b"), "'a b' is not a header name"),
        (header("x-a", "ä"), "the value of 'x-a' must be printable ASCII"),
        (header("x-a", "a\nb"), "the value of 'x-a' must be printable ASCII"),
        (plugins(("header_mutation", {"delete": ["Host"]})), "plugins[0].configuration: the header 'host'"),
        (plugins(("header_mutation", {"delete": ["a", "A"]})), "'a' is duplicated"),
        (plugins(("tools", {"mode": "none"}), ("tools", {"mode": "none"})), "plugins: 'tools' is duplicated"),
        (plugins(("tools", {"mode": "none", "allow_tools": ["a"]})), "mode none removes all tools"),
        (plugins(("tools", {"mode": "filtered"})), "mode filtered needs allow_tools or block_tools"),
        (plugins(("request_params", {"blocked_params": ["Model"]})), "'model' is required in a request"),
        (plugins(("request_params", {"blocked_params": ["a", "a"]})), "blocked_params: 'a' is duplicated"),
        (plugins(("request_params", {"max_n": 0})), "max_n: must be at least 1"),
        (plugins(("tools", {"mode": "passthrough", "allow_tools": ["a"]})), "mode passthrough keeps all tools"),
        (plugins(("semantic-cache", {}), ("response_cache", {})), "plugins: 'response_cache' is duplicated"),
        (
            plugins(("response_cache", {"mode": "exact", "semantic": {"similarity_threshold": 0.9}})),
            "semantic: does not go with the mode exact",
        ),
    ],
)
def test_unsupported_plugins_are_rejected(change, message):
    """What would break routing or framing, or means nothing, is an error with its place."""
    with pytest.raises(UserError) as error:
        built(change)
    assert message in str(error.value)
    assert str(error.value).startswith("config.yaml: routing.decisions[0].plugins")
