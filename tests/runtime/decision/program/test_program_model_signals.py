"""Signals that need a model, from the config to the program; invalid ones are rejected at start, by name."""

from __future__ import annotations

import copy

import pytest

from support.runtime_fakes import DATA
from vsr_runtime.decision.program.build import ModelBindings, build
from vsr_runtime.decision.program.conditions import SignalCondition, condition_leaves
from vsr_runtime.decision.program.program import GUARD_WORK
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_yaml
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig

SAMPLE = read_yaml(DATA / "router" / "config.yaml")
LABELS = frozenset({"math", "computer science", "law"})
SIGNALS = {
    "embeddings": [{"name": "bills", "threshold": 0.5, "candidates": ["Pay."], "aggregation_method": "max"}],
    "complexity": [
        {"name": "hard", "threshold": 0.1, "hard": {"candidates": ["Prove."]}, "easy": {"candidates": ["Hello."]}}
    ],
    "language": [{"name": "de", "description": ""}],
    "jailbreak": [{"name": "evil", "threshold": 0.7, "include_history": True}],
}
LEAVES = [("embedding", "bills"), ("complexity", "hard:easy"), ("language", "de"), ("jailbreak", "evil")]
BINDINGS = ModelBindings(frozenset({"Pay.", "Prove.", "Hello."}), {"evil": "judge"})


def built(change=None, bindings: ModelBindings | None = BINDINGS, detectors=("judge",), conditions=tuple(LEAVES)):
    """The program of the sample config with signals of every kind and a decision that asks for them."""
    document = copy.deepcopy(SAMPLE)
    document["routing"]["signals"] |= copy.deepcopy(SIGNALS)
    rules = {"operator": "OR", "conditions": [{"type": kind, "name": name} for kind, name in conditions]}
    refs = [{"model": "llama3-8b"}]
    document["routing"]["decisions"].append(
        {"name": "asks", "description": "", "priority": 0, "rules": rules, "modelRefs": refs}
    )
    if change:
        change(document["routing"]["signals"])
    return build(RouterConfig.model_validate(document), LABELS, detectors=detectors, bindings=bindings)


def test_every_kind_of_model_signal_is_built():
    """Languages are detected from the text, the others by models; a complexity rule gives three signals."""
    program = built()
    asked = {leaf.name for leaf in condition_leaves(program.routes[-1].condition) if isinstance(leaf, SignalCondition)}
    assert asked == set(LEAVES)
    assert set(program.signals) == {("language", "de")}
    levels = {("complexity", f"hard:{level}") for level in ("hard", "medium", "easy")}
    assert set(program.model_signals) == {("embedding", "bills"), ("jailbreak", "evil")} | levels
    assert program.needs == {"category", "similarity"}


def test_unused_signals_are_not_needed():
    """A signal that no decision uses loads no model and adds no work."""
    without, every = built(conditions=[("language", "de")]), built()
    assert without.needs == {"category"}
    assert (without.work, every.work) == (0, GUARD_WORK)


@pytest.mark.parametrize(
    ("change", "given", "message"),
    [
        (None, {"bindings": None}, "routing.signals.embeddings[0]: embedding 'bills': runtime.yaml has no vector for"),
        (
            None,
            {"bindings": ModelBindings(BINDINGS.sentences)},
            "routing.signals.jailbreak[0]: jailbreak 'evil': runtime.yaml names no detector",
        ),
        (None, {"detectors": ()}, "runtime.yaml: detectors.jailbreak.evil: no detector 'judge' is loaded"),
        (
            None,
            {"bindings": ModelBindings(BINDINGS.sentences, {"evil": "judge", "good": "judge"})},
            "runtime.yaml: detectors.jailbreak.good: config.yaml has no jailbreak signal",
        ),
        (
            None,
            {"conditions": [("complexity", "hard")]},
            "routing.decisions[1].rules: complexity 'hard' is not defined",
        ),
        (
            lambda given: given["language"][0].update(name="mi"),
            {},
            "routing.signals.language[0]: language 'mi': the runtime's detector does not know",
        ),
        (
            lambda given: given["embeddings"].append(given["embeddings"][0]),
            {},
            "routing.signals.embeddings: 'bills' is duplicated",
        ),
    ],
)
def test_unsupported_signal_is_rejected_by_name(change, given, message):
    """The place in the file's words, and what is missing."""
    with pytest.raises(UserError) as caught:
        built(change, **given)
    assert message in str(caught.value)
