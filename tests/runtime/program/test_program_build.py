from __future__ import annotations

import copy

import pytest
from runtime_fakes import DATA

from runtime.errors import UserError
from runtime.files import read_yaml
from runtime.program.build import build
from runtime.program.rules import Signals
from schemas.routerconfig.v0_4_0 import RouterConfig

SAMPLE = read_yaml(DATA / "router" / "config.yaml")
LABELS = frozenset({"math", "computer science", "law"})


def built(change=None, labels=LABELS):
    """The program of the sample config after a change of the document."""
    document = copy.deepcopy(SAMPLE)
    if change:
        change(document)
    return build(RouterConfig.model_validate(document), labels)


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
    assert program.models == ("llama3-8b", "phi4-mini")
    assert program.auto_names == ("auto", "MoM")
    assert program.decide(Signals("math")).model == "phi4-mini"
    assert program.decide(Signals("computer science")).model == "llama3-8b"


def test_higher_priority_wins_then_the_name():
    """Decisions are tried by falling priority, and those of one priority by name, whatever their order in the file."""

    def change(document):
        document["routing"]["decisions"] = [decision("b", 1), decision("a", 1), decision("z", 7)]

    assert [route.name for route in built(change).routes] == ["z", "a", "b"]


def test_domain_without_mmlu_categories_is_its_own_label():
    """A category of the policy's own is matched by its name."""

    def change(document):
        document["routing"]["signals"]["domains"][0] = {"name": "law", "description": ""}
        document["routing"]["decisions"][0]["rules"]["conditions"][0]["name"] = "law"

    assert built(change).decide(Signals("law")).model == "phi4-mini"


def test_domain_may_stand_for_several_labels():
    """A domain signal holds for each label that it lists."""

    def change(document):
        document["routing"]["signals"]["domains"][0]["mmlu_categories"] = ["math", "law"]

    program = built(change)
    assert {program.decide(Signals(label)).model for label in ("math", "law")} == {"phi4-mini"}


def put(*path: object, value: object):
    """A change of the document at a path."""

    def change(document):
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = value

    return change


DECISION = ("routing", "decisions", 0)
TWO_MODELS = [{"model": "llama3-8b"}, {"model": "phi4-mini"}]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put(*DECISION, "modelRefs", 0, "model", value="gpt"), "routing.decisions[0].modelRefs[0].model: model 'gpt'"),
        (put(*DECISION, "modelRefs", value=TWO_MODELS), "routing.decisions[0].modelRefs: exactly one"),
        (put(*DECISION, "modelRefs", value=[]), "routing.decisions[0].modelRefs: exactly one"),
        (put(*DECISION, "modelRefs", 0, "use_reasoning", value=True), "use_reasoning: reasoning is not executed"),
        (put(*DECISION, "rules", "conditions", 0, "name", value="x"), "decisions[0].rules: domain 'x' is not defined"),
        (put(*DECISION, "rules", "operator", value="NOT"), None),
        (put(*DECISION, "rules", value={"operator": "NOT", "conditions": []}), "NOT takes exactly one condition"),
        (put("routing", "decisions", value=[decision("a", 1), decision("a", 2)]), "routing.decisions: 'a' stands"),
        (put("providers", "defaults", "model", value="gpt"), "providers.defaults.model: model 'gpt' is not defined"),
        (put("providers", "models", 1, "name", value="llama3-8b"), "providers.models: 'llama3-8b' stands there twice"),
        (put("providers", "models", 1, "name", value="häl"), "cannot stand in a header"),
        (put("providers", "models", 1, "name", value="a\nb"), "cannot stand in a header"),
        (put("providers", "models", 1, "name", value=" a"), "cannot stand in a header"),
        (put("providers", "models", 1, "name", value=""), "cannot stand in a header"),
        (put("providers", "models", 1, "name", value="a" * 257), "cannot stand in a header"),
        (put("providers", "models", 1, "provider_model_id", value="other"), "renaming a model is not executed"),
        (put("providers", "models", 1, "provider_model_id", value="phi4-mini"), None),
        (put("routing", "modelCards", 0, "name", value="gpt"), "routing.modelCards[0].name: model 'gpt'"),
        (put("routing", "modelCards", 0, "name", value="phi4-mini"), "routing.modelCards: 'phi4-mini' stands"),
        (put("routing", "signals", "domains", 1, "name", value="math"), "routing.signals.domains: 'math' stands"),
        (put("global", "router", "auto_model_names", value=["auto", "auto"]), "auto_model_names: 'auto' stands"),
        (put("global", "router", "auto_model_names", value=["phi4-mini"]), "'phi4-mini' is also a model"),
    ],
)
def test_what_does_not_fit_together_is_refused_by_name(change, message):
    """A name that is unknown, doubled or unusable, or a demand that nobody executes, is an error with its place."""
    if message is None:
        built(change)
        return
    with pytest.raises(UserError) as error:
        built(change)
    assert message in str(error.value)
    assert str(error.value).startswith("config.yaml: ")


@pytest.mark.parametrize("labels", [frozenset(), frozenset({"math"})])
def test_domain_that_no_classifier_answers_is_refused(labels):
    """A signal that could never hold is an error, used or not, instead of a route that silently never matches."""
    with pytest.raises(UserError, match="which no classifier"):
        built(labels=labels)
