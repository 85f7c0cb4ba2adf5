"""Scores, their bands, groups of signals of which one holds, and composers, compared with values by hand."""

from __future__ import annotations

import copy
from itertools import pairwise
from math import exp

import pytest

from support.runtime_fakes import DATA
from vsr_runtime.decision.program.build import ModelBindings, build
from vsr_runtime.decision.program.conditions import SignalValues
from vsr_runtime.decision.program.evaluation import decide
from vsr_runtime.decision.program.outcome import Decision
from vsr_runtime.decision.signals.model_signals import ModelResults
from vsr_runtime.decision.view import RequestView
from vsr_runtime.errors import UserError
from vsr_runtime.files import read_yaml
from vsr_schemas.routerconfig.v0_4_0 import RouterConfig

SAMPLE = read_yaml(DATA / "router" / "config.yaml")
LABELS = frozenset({"math", "computer science", "law", "other"})
SIGNALS = {
    "domains": [
        {"name": "math", "description": ""},
        {"name": "law", "description": "", "mmlu_categories": ["law", "other"]},
    ],
    "keywords": [
        {"name": "urgent", "operator": "OR", "keywords": ["urgent"]},
        {"name": "refund", "operator": "OR", "keywords": ["refund"]},
    ],
    "structure": [
        {
            "name": "questions",
            "feature": {"type": "count", "source": {"type": "regex", "pattern": "[?]"}},
            "predicate": {"gte": 2},
        }
    ],
    "embeddings": [
        {"name": "code", "threshold": 0.5, "candidates": ["c"]},
        {"name": "poem", "threshold": 0.5, "candidates": ["p"]},
    ],
    "complexity": [
        {
            "name": "work",
            "threshold": 0.1,
            "hard": {"candidates": ["c"]},
            "easy": {"candidates": ["p"]},
            "composer": {"operator": "AND", "conditions": [{"type": "keyword", "name": "urgent"}]},
        }
    ],
}


def leaf(kind: str, name: str, weight: float = 1.0, **more: object) -> dict[str, object]:
    """An input of a score."""
    return {"type": kind, "name": name, "weight": weight, **more}


def score(*inputs: dict[str, object], name: str = "load") -> dict[str, object]:
    """A score."""
    return {"name": name, "method": "weighted_sum", "inputs": list(inputs)}


def bands(source: str = "load", method: str = "threshold_bands", **outputs: dict[str, float]) -> dict[str, object]:
    """The bands of a score."""
    named = [{"name": name, **bounds} for name, bounds in outputs.items()]
    return {"name": f"{source} bands", "source": source, "method": method, "outputs": named}


def rule(kind: str, name: str, priority: int = 1) -> dict[str, object]:
    """A decision for one leaf, which has its name."""
    conditions = [{"type": kind, "name": name}]
    rules = {"operator": "AND", "conditions": conditions}
    model = [{"model": "phi4-mini"}]
    return {"name": name, "description": "", "priority": priority, "rules": rules, "modelRefs": model}


def program(projections: dict[str, object], *decisions: dict[str, object]):
    """A program with these projections and decisions."""
    document = copy.deepcopy(SAMPLE)
    document["routing"] |= {"signals": SIGNALS, "decisions": list(decisions), "projections": projections}
    return build(RouterConfig.model_validate(document), LABELS, bindings=ModelBindings(frozenset({"c", "p"})))


def decided(made, text: str, code: float = 0.0, poem: float = 0.0, category: str | None = "math") -> Decision:
    """The decision about a text with these similarities and this category."""
    view = RequestView(text)
    known = made.with_category(SignalValues(), category, 0.75)
    outcome = decide(made, view, made.with_model_results(known, view, ModelResults({"c": code, "p": poem})))
    assert isinstance(outcome, Decision)
    return outcome


def route(made, text: str, **more: object) -> str | None:
    """The route that is taken."""
    outcome = decided(made, text, **more)
    return outcome.route and outcome.route.name


HALVES = {"low": {"lt": 0.5}, "high": {"gte": 0.5}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("hello", "low"), ("urgent", "low"), ("refund", "low"), ("urgent refund", "high")],
)
def test_scores_are_weighted_sums_of_signals_that_hold(text, expected):
    """0.3 and 0.2 reach 0.5 together only; the first band that fits holds."""
    made = program(
        {
            "scores": [score(leaf("keyword", "urgent", 0.3), leaf("keyword", "refund", 0.2))],
            "mappings": [bands(**HALVES)],
        },
        *(rule("projection", name) for name in HALVES),
    )
    assert route(made, text) == expected


@pytest.mark.parametrize(
    ("given", "text", "number"),
    [
        (leaf("keyword", "urgent", 0.5, match=3, miss=-1), "urgent", 1.5),
        (leaf("keyword", "urgent", 0.5, match=3, miss=-1), "hello", -0.5),
        (leaf("keyword", "urgent", 0.5, match=0), "urgent", 0.5),
        (leaf("keyword", "urgent", 0.5, value_source="confidence"), "urgent", 0.5),
        (leaf("keyword", "urgent", 0.5, value_source="raw"), "urgent", 0.0),
        (leaf("structure", "questions", 0.5, value_source="raw"), "? ? ?", 1.5),
        (leaf("structure", "questions", 0.5, value_source="raw"), "?", 0.5),
        (leaf("structure", "questions", 2, value_source="confidence"), "? ? ?", 2 / (1 + exp(-4))),
        (leaf("structure", "questions", 2, value_source="confidence"), "?", 0.0),
        (leaf("embedding", "code", 2, value_source="confidence"), "x", 1.6),
        (leaf("embedding", "poem", 2, value_source="confidence"), "x", 0.0),
        (leaf("embedding", "poem", 2, value_source="raw"), "x", 0.6),
        (leaf("domain", "math", 2, value_source="confidence"), "x", 1.5),
        (leaf("domain", "law", 2, value_source="confidence"), "x", 0.0),
        (leaf("complexity", "work:hard", 2, value_source="confidence"), "urgent", 1.0),
        (leaf("complexity", "work:hard", 2), "x", 0.0),
    ],
)
def test_inputs_are_two_numbers_a_confidence_or_what_was_measured(given, text, number):
    """As the stock router reads them: a match of 0 is 1, and signals without a number measure 0."""
    near = {"gt": number - 1e-9, "lt": number + 1e-9}
    made = program({"scores": [score(given)], "mappings": [bands(near=near)]}, rule("projection", "near"))
    assert route(made, text, code=0.8, poem=0.3) == "near"


def test_composers_count_like_any_other_condition_of_a_complexity():
    """A level holds if its sentences say so and the composer does; its confidence is that of both."""
    made = program({}, rule("complexity", "work:hard"))
    assert route(made, "urgent", code=0.8, poem=0.3) == "work:hard"
    assert route(made, "hello", code=0.8, poem=0.3) is None


def test_scores_may_read_other_scores_and_their_bands():
    """Whatever their order in the file; a band that does not hold counts as 0."""
    sure = 1 / (1 + exp(-12 * 0.5))
    made = program(
        {
            "scores": [
                score(
                    leaf("projection", "base", 0.5, value_source="score"),
                    leaf("projection", "base high", 2, value_source="confidence"),
                    leaf("projection", "base low", 100, value_source="confidence"),
                ),
                score(leaf("keyword", "urgent"), name="base"),
            ],
            "mappings": [
                bands(near={"gt": 0.5 + 2 * sure - 1e-9, "lt": 0.5 + 2 * sure + 1e-9}),
                bands("base", **{"base low": {"lt": 0.5}, "base high": {"gte": 0.5}}),
            ],
        },
        rule("projection", "near"),
    )
    assert route(made, "urgent") == "near"


def test_several_bands_may_hold_at_once():
    """With ``multi_emit`` each band that fits holds, otherwise the first."""
    overlapping = {"some": {"gt": 0}, "more": {"gte": 1}}
    scores = [score(leaf("keyword", "urgent"))]
    decisions = (rule("projection", "more", 2), rule("projection", "some", 1))
    assert route(program({"scores": scores, "mappings": [bands(**overlapping)]}, *decisions), "urgent") == "some"
    several = program({"scores": scores, "mappings": [bands(method="multi_emit", **overlapping)]}, *decisions)
    assert route(several, "urgent") == "more"


def test_the_confidence_of_a_band_decides_between_equals():
    """It grows with the distance from the nearest bound, by the slope of the calibration."""
    mapping = bands(method="multi_emit", b={"gt": 0.2, "lt": 1.3}, a={"gt": 0.9})
    made = program(
        {"scores": [URGENT], "mappings": [mapping]},
        rule("projection", "a"),
        rule("projection", "b"),
    )
    outcome = decided(made, "urgent")
    assert outcome.route.name == "b"
    assert outcome.route.condition.parts[0].confidence(outcome.signals) == pytest.approx(1 / (1 + exp(-12 * 0.3)))
    mapping["calibration"] = {"method": "sigmoid_distance", "slope": 2}
    made = program({"scores": [URGENT], "mappings": [mapping]}, rule("projection", "b"))
    outcome = decided(made, "urgent")
    assert outcome.route.condition.parts[0].confidence(outcome.signals) == pytest.approx(1 / (1 + exp(-2 * 0.3)))


def test_a_score_waits_for_its_models():
    """Without the similarity the band is unknown, so the models are asked."""
    made = program(
        {"scores": [score(leaf("keyword", "urgent"), leaf("embedding", "code"))], "mappings": [bands(**HALVES)]},
        *(rule("projection", name) for name in HALVES),
    )
    assert decide(made, RequestView("urgent")).kinds == {"similarity"}


def partition(semantics: str = "exclusive", **more: object) -> dict[str, object]:
    """The group of the two embeddings."""
    group = {"name": "g", "semantics": semantics, "members": ["code", "poem"], "default": "poem", **more}
    return {"partitions": [group]}


@pytest.mark.parametrize(
    ("code", "poem", "expected"),
    [(0.8, 0.7, "code"), (0.7, 0.8, "poem"), (0.7, 0.7, "code"), (0.1, 0.2, "poem"), (0.8, 0.1, "code")],
)
def test_only_the_most_similar_of_a_group_holds(code, poem, expected):
    """The first name among equals, and the default if no member reaches its threshold."""
    made = program(partition(), rule("embedding", "code", 1), rule("embedding", "poem", 2))
    assert route(made, "x", code=code, poem=poem) == expected
    other = program(partition(), rule("embedding", "code", 2), rule("embedding", "poem", 1))
    assert route(other, "x", code=code, poem=poem) == expected


def test_softmax_gives_the_confidence_of_the_winner():
    """Of the similarities that reach their thresholds, divided by the temperature."""
    projections = partition("softmax_exclusive", temperature=0.5) | {
        "scores": [score(leaf("embedding", "code", 1, value_source="confidence"))],
        "mappings": [bands(near={"gt": 1 / (1 + exp(-0.4)) - 1e-9, "lt": 1 / (1 + exp(-0.4)) + 1e-9})],
    }
    assert route(program(projections, rule("projection", "near")), "x", code=0.8, poem=0.6) == "near"


def test_the_default_of_a_group_of_domains_holds_if_none_does():
    """Requests of a category of no member have it."""
    group = {"name": "g", "semantics": "exclusive", "members": ["math", "law"], "default": "law"}
    made = program({"partitions": [group]}, rule("domain", "math"), rule("domain", "law"))
    assert [route(made, "x", category=category) for category in ("math", "other", "computer science", None)] == [
        *("math", "law", "law", "law")
    ]


URGENT = score(leaf("keyword", "urgent"))
REFUSED = {
    "depend on each other: load -> load": {"scores": [score(leaf("projection", "load"))]},
    "reads the score 'x'": {"scores": [score(leaf("projection", "x"))]},
    "no mapping has an output 'x'": {"scores": [score(leaf("projection", "x", value_source="confidence"))]},
    "score or confidence": {"scores": [score(leaf("projection", "load", value_source="raw"))]},
    "binary, confidence or raw": {"scores": [score(leaf("keyword", "urgent", value_source="score"))]},
    "keyword 'x' is not defined": {"scores": [score(leaf("keyword", "x"))]},
    "complexity 'work' is not defined": {"scores": [score(leaf("complexity", "work"))]},
    "type kb are not executed": {"scores": [score(leaf("kb", "x"))]},
    "knowledge bases": {"scores": [score({"type": "kb_metric", "kb": "x", "metric": "y", "weight": 1})]},
    "must be finite": {"scores": [score(leaf("keyword", "urgent", float("inf")))]},
    "no score": {"mappings": [bands(low={"lt": 1})]},
    "1 to 200 entries": {"scores": [score()]},
    "'low' is duplicated": {
        "scores": [score(leaf("keyword", "urgent"))],
        "mappings": [bands(low={"lt": 1}), {**bands(low={"lt": 2}), "name": "o"}],
    },
    "at least one of": {"scores": [URGENT], "mappings": [bands(low={})]},
    "two bounds at one end": {
        "scores": [score(leaf("keyword", "urgent"))],
        "mappings": [bands(low={"lt": 1, "lte": 1})],
    },
    "several outputs": {
        "scores": [score(leaf("keyword", "urgent"))],
        "mappings": [bands(method="multi_emit", low={"lt": 1})],
    },
    "is no domain or embedding signal": partition(members=["code", "urgent"]),
    "must all be": partition(members=["code", "math"]),
    "is no member": partition(default="x"),
    "temperature above 0": partition("softmax_exclusive"),
    "two partitions": {"partitions": [*partition()["partitions"], {**partition()["partitions"][0], "name": "h"}]},
}


@pytest.mark.parametrize(("reason", "projections"), REFUSED.items())
def test_projections_that_cannot_be_executed_are_refused(reason, projections):
    """By name, instead of a score that is always or never reached."""
    with pytest.raises(UserError, match=reason):
        program(projections)


def test_many_scores_that_read_each_other_are_computed_once_each():
    """A chain in which each reads the one before twice would double the work with every link."""
    names = [f"s{number}" for number in range(100)]
    links = [
        score(*(leaf("projection", before, 0.5, value_source="score") for _ in range(2)), name=name)
        for before, name in pairwise(names)
    ]
    scores = [score(leaf("keyword", "urgent"), name="s0"), *links]
    made = program({"scores": scores, "mappings": [bands("s99", all={"gte": 1})]}, rule("projection", "all"))
    assert route(made, "urgent") == "all"


def test_a_band_that_is_not_defined_is_refused():
    """A decision must not depend on nothing."""
    with pytest.raises(UserError, match="has an output 'x'"):
        program({}, rule("projection", "x"))
