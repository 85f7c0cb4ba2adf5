"""The order of routes: tiers, priorities, confidence and names, as the stock router's decision engine has it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.program.conditions import (
    AllConditions,
    AnyCondition,
    CategoryCondition,
    Condition,
    NotCondition,
    SignalCondition,
    SignalValues,
)
from vsr_runtime.decision.program.effects import ModelTarget
from vsr_runtime.decision.program.evaluation import decide
from vsr_runtime.decision.program.ordering import Standing, confidence
from vsr_runtime.decision.program.outcome import Decision, Undecided
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.signals.model_signals import EmbeddingSignal, ModelResults
from vsr_runtime.decision.signals.score import Score
from vsr_runtime.decision.view import RequestView

SMALL = ModelTarget("small", "small")
HELLO = RequestView("hello", 5, ("user",))
LAW = CategoryCondition(frozenset({"law"}), "law")
ALWAYS = AllConditions(())


@dataclass
class Measured:
    """A signal with a fixed confidence; it holds unless that is None."""

    trust: float | None
    cost: int = 0
    work: int = 1

    def holds(self, view, expired):
        """Return whether it holds."""
        return self.score(view, expired).holds

    def score(self, view, expired):  # noqa: ARG002 - fixed
        """Return the confidence."""
        return Score(self.trust is not None, 0.0, self.trust or 0.0)


def has(name: str) -> SignalCondition:
    """The leaf of a keyword signal."""
    return SignalCondition(("keyword", name))


def route(name: str, condition: Condition, priority: int = 0, tier: int = 0) -> PolicyRoute:
    """A route with a place."""
    return PolicyRoute(name, condition, ((SMALL, 100),), standing=Standing(priority, tier))


def program(*routes: PolicyRoute, strategy="priority", models=None, **signals: float | None) -> Program:
    """A program with these routes, and keyword signals of these confidences."""
    named = {("keyword", name): Measured(trust) for name, trust in signals.items()}
    return Program(
        {"small": SMALL}, ("auto",), routes, "small", None, named, strategy=strategy, model_signals=models or {}
    )


def winner(made: Program, *, law: float | None = None) -> str | None:
    """The route that decides, once the category is known."""
    known = made.with_category(SignalValues(), "law" if law is not None else "math", law or 0.9)
    outcome = decide(made, HELLO, known)
    assert isinstance(outcome, Decision)
    return outcome.route.name if outcome.route else None


def test_of_equal_priorities_the_more_confident_decision_wins():
    """A keyword is certain, a category only probable; names count last."""
    made = program(route("a-law", LAW, 10), route("b-contract", has("contract"), 10), contract=1.0)
    assert winner(made, law=0.7) == "b-contract"
    assert winner(made, law=1.0) == "a-law"


def test_priority_counts_before_confidence_unless_the_strategy_says_otherwise():
    """The same routes, in both orders."""
    routes = (route("high", has("x"), 10), route("low", has("y"), 5))
    assert winner(program(*routes, x=0.3, y=0.9)) == "high"
    assert winner(program(*routes, x=0.3, y=0.9, strategy="confidence")) == "low"
    assert winner(program(*routes, x=0.9, y=0.9, strategy="confidence")) == "high"


def test_lowest_tier_wins_before_confidence_and_priority():
    """Tiers come first, whatever the strategy."""
    routes = (route("guard", has("x"), 1, tier=1), route("sure", has("y"), 100, tier=2))
    assert winner(program(*routes, x=0.1, y=1.0)) == "guard"
    assert winner(program(*routes, x=None, y=1.0)) == "sure"


def test_within_a_tier_confidence_counts_before_priority():
    """Priorities only break ties of confidence there."""
    routes = (route("a", has("x"), 100, tier=1), route("b", has("y"), 1, tier=1))
    assert winner(program(*routes, x=0.5, y=0.6)) == "b"
    assert winner(program(*routes, x=0.6, y=0.6)) == "a"


def test_a_tier_only_counts_if_a_decision_with_a_tier_holds():
    """Decisions without tiers are ordered by confidence as soon as one with a tier holds beside them, else not."""
    routes = (route("first", has("x"), 100), route("second", has("y"), 1), route("tiered", has("z"), 1, tier=3))
    assert winner(program(*routes, x=0.2, y=0.9, z=None)) == "first"
    assert winner(program(*routes, x=0.2, y=0.9, z=0.1)) == "second"


def test_catch_all_of_the_same_priority_loses_to_any_signal():
    """A rule without conditions has no confidence."""
    made = program(route("a-all", ALWAYS, 1), route("b", has("x"), 1), x=0.01)
    assert winner(made) == "b"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (AllConditions((has("x"), has("y"))), 0.6),
        (AnyCondition((has("x"), has("y"))), 0.8),
        (AnyCondition((has("x"), has("no"))), 0.4),
        (NotCondition(has("no")), 1.0),
        (AllConditions(()), 0.0),
        (AllConditions((NotCondition(has("no")), has("x"))), 0.7),
    ],
)
def test_confidence_of_a_rule_is_the_mean_of_all_the_best_of_any_and_one_of_not(condition, expected):
    """The mean of AND, the best of OR, 1 for NOT, 0 for nothing."""
    scores = {("keyword", "x"): Score(holds=True, confidence=0.4), ("keyword", "y"): Score(holds=True, confidence=0.8)}
    known = SignalValues(matched=dict.fromkeys(scores, True) | {("keyword", "no"): False}, scores=scores)
    assert confidence(condition, known) == pytest.approx(expected)


def test_a_model_is_asked_only_if_its_result_can_change_the_decision():
    """Two decisions of one priority need the category; one that cannot hold needs nothing more."""
    made = program(route("a-law", LAW, 10), route("b", has("x"), 10), route("c", ALWAYS, 1), x=1.0)
    assert isinstance(decide(made, HELLO), Undecided)
    alone = program(route("a", has("x"), 10), route("b", AllConditions((has("no"), LAW)), 10), x=1.0, no=None)
    outcome = decide(alone, HELLO)
    assert isinstance(outcome, Decision)
    assert outcome.route is not None
    assert outcome.route.name == "a"


def test_cosine_of_an_embedding_decides_between_decisions_of_one_priority():
    """Each yields the cosine as its confidence."""
    models = {("embedding", name): EmbeddingSignal((name,), 0.5, mean=False) for name in ("far", "near")}
    routes = [route(f"{i}-{name}", SignalCondition(("embedding", name)), 1) for i, name in enumerate(("far", "near"))]
    made = program(*routes, models=models)
    undecided = decide(made, HELLO)
    assert isinstance(undecided, Undecided)
    known = made.with_model_results(undecided.signals, HELLO, ModelResults({"far": 0.6, "near": 0.8}))
    outcome = decide(made, HELLO, known)
    assert isinstance(outcome, Decision)
    assert outcome.route is not None
    assert outcome.route.name == "1-near"


_LEAVES = st.sampled_from("pqrs").map(has)
_CONDITIONS = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: AllConditions(tuple(parts))),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: AnyCondition(tuple(parts))),
        inner.map(NotCondition),
    ),
    max_leaves=5,
)
_ROUTES = st.lists(st.tuples(_CONDITIONS, st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=5)
_TRUSTS = st.fixed_dictionaries({name: st.sampled_from([None, 0.2, 0.5, 1.0]) for name in "pqrs"})


def _engine(condition: Condition, trusts: dict[str, float | None]) -> tuple[bool, float]:
    """Whether a rule holds and how certainly, node by node as the engine's source has it."""
    if isinstance(condition, SignalCondition):
        trust = trusts[condition.name[1]]
        return trust is not None, trust or 0.0
    if isinstance(condition, NotCondition):
        return (not _engine(condition.part, trusts)[0]), 1.0
    parts = [_engine(part, trusts) for part in condition.parts]
    if isinstance(condition, AllConditions):
        return all(held for held, _ in parts), sum(trust for _, trust in parts) / len(parts) if parts else 0.0
    return any(held for held, _ in parts), max((trust for held, trust in parts if held), default=0.0)


@given(_ROUTES, _TRUSTS, st.sampled_from(["priority", "confidence"]))
def test_every_decision_is_that_of_the_engine(made, trusts, strategy):
    """For all places, rules, confidences and strategies."""
    routes = [route(f"r{i}", condition, priority, tier) for i, (condition, priority, tier) in enumerate(made)]
    holding = []
    for one in routes:
        held, trust = _engine(one.condition, trusts)
        if held:
            holding.append((one.name, one.standing.tier, one.standing.priority, trust))
    if any(tier > 0 for _, tier, _, _ in holding):
        holding.sort(key=lambda each: (each[1], -each[3], -each[2], each[0]))
    elif strategy == "confidence":
        holding.sort(key=lambda each: (-each[3], -each[2], each[0]))
    else:
        holding.sort(key=lambda each: (-each[2], -each[3], each[0]))
    listed = sorted(routes, key=lambda one: (one.standing.tier, -one.standing.priority, one.name))
    assert winner(program(*listed, strategy=strategy, **trusts)) == (holding[0][0] if holding else None)
