from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.program.conditions import (
    AllConditions,
    AnyCondition,
    CategoryCondition,
    NotCondition,
    SignalCondition,
    SignalValues,
    compile_condition,
    condition_leaves,
    open_leaves,
)
from vsr_schemas.routerconfig.v0_4_0 import RuleLeaf, RuleNode

MATH = CategoryCondition(frozenset({"math"}), "math")
A, B = SignalCondition(("keyword", "a")), SignalCondition(("context", "b"))
LEAVES = (MATH, A, B)
RULES = st.recursive(
    st.sampled_from(LEAVES),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: AllConditions(tuple(parts)))
        | st.lists(inner, max_size=3).map(lambda parts: AnyCondition(tuple(parts)))
        | inner.map(NotCondition)
    ),
    max_leaves=8,
)


def signals(*values: bool | None) -> SignalValues:
    """What is known of the three leaves; None is not known."""
    math, a, b = values
    matched = {leaf.name: value for leaf, value in ((A, a), (B, b)) if value is not None}
    return SignalValues("math" if math else None, None, math is not None, matched)


KNOWN = [signals(*values) for values in product((True, False), repeat=3)]


def completions(partial: SignalValues) -> list[SignalValues]:
    """Everything that the signals may still turn out to be."""
    return [
        full
        for full in KNOWN
        if all(full.matched[name] is value for name, value in partial.matched.items())
        and (not partial.classified or full.category == partial.category)
    ]


@pytest.mark.parametrize(("category", "expected"), [("math", True), ("law", False), (None, False), ("", False)])
def test_category_holds_for_its_labels_only(category, expected):
    """A request without a category, or with another one, does not satisfy a category rule."""
    assert MATH.truth(SignalValues(category, classified=True)) is expected


def test_unevaluated_signal_is_unknown():
    """A signal that was not computed is unknown."""
    assert [leaf.truth(SignalValues()) for leaf in LEAVES] == [None] * 3


def test_conjunction_of_nothing_is_the_catch_all():
    """AND of nothing holds for every request and OR of nothing for none."""
    assert AllConditions(()).truth(SignalValues()) is True
    assert AnyCondition(()).truth(SignalValues()) is False


@given(rule=RULES, values=st.tuples(*[st.sampled_from([True, False, None])] * 3))
def test_settled_is_settled(rule, values):
    """A truth that is known early never changes, and with all signals known the truth is known."""
    partial = signals(*values)
    truth = rule.truth(partial)
    if truth is not None:
        assert {rule.truth(full) for full in completions(partial)} == {truth}
    if None not in values:
        assert truth is not None


@given(rule=RULES, values=st.tuples(*[st.sampled_from([True, False, None])] * 3))
def test_open_leaves_are_those_that_the_truth_depends_on(rule, values):
    """They exist exactly while the truth is unknown, are unknown themselves, and are leaves of the condition."""
    partial = signals(*values)
    remaining = open_leaves(rule, partial)
    assert (rule.truth(partial) is None) is bool(remaining)
    assert all(leaf.truth(partial) is None for leaf in remaining)
    assert remaining <= condition_leaves(rule)


@given(rules=st.lists(RULES, max_size=4), known=st.sampled_from(KNOWN))
def test_boolean_laws(rules, known):
    """De Morgan's laws and double negation hold for every tree."""
    parts = tuple(rules)
    negated = tuple(NotCondition(rule) for rule in rules)
    assert NotCondition(AllConditions(parts)).truth(known) is AnyCondition(negated).truth(known)
    assert NotCondition(AnyCondition(parts)).truth(known) is AllConditions(negated).truth(known)
    assert all(NotCondition(NotCondition(rule)).truth(known) is rule.truth(known) for rule in rules)


def test_compile_keeps_the_shape():
    """Operators become rules of the same meaning, and leaves what they are made to."""
    tree = RuleNode(
        operator="AND",
        conditions=[
            RuleNode(operator="OR", conditions=[RuleLeaf(type="domain", name="math")]),
            RuleNode(operator="NOT", conditions=[RuleLeaf(type="keyword", name="a")]),
        ],
    )
    made = {"math": MATH, "a": A}
    assert compile_condition(tree, lambda leaf: made[leaf.name], ValueError) == AllConditions(
        (AnyCondition((MATH,)), NotCondition(A))
    )


@pytest.mark.parametrize("count", [0, 2])
def test_not_takes_one_condition(count):
    """NOT of no or several conditions is ambiguous, so it is rejected."""
    tree = RuleNode(operator="NOT", conditions=[RuleLeaf(type="domain", name="math")] * count)
    with pytest.raises(ValueError, match="arity"):
        compile_condition(tree, lambda _: MATH, lambda: ValueError("arity"))
