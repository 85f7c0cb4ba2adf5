from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.program.rules import All, AnyOf, Category, Not, Signals, compile_rule, needs
from schemas.routerconfig.v0_4_0 import Leaf, Node

MATH = Category(frozenset({"math"}))
LAW = Category(frozenset({"law"}))
RULES = st.recursive(
    st.sampled_from([MATH, LAW]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda parts: All(tuple(parts)))
        | st.lists(inner, max_size=3).map(lambda parts: AnyOf(tuple(parts)))
        | inner.map(Not)
    ),
    max_leaves=8,
)
SIGNALS = st.sampled_from([Signals(), Signals("math", 0.9), Signals("law", 0.5), Signals("unheard of", 1.0)])


@pytest.mark.parametrize(("category", "expected"), [("math", True), ("law", False), (None, False), ("", False)])
def test_category_holds_for_its_labels_only(category, expected):
    """A request without a category, or with another one, does not satisfy a category rule."""
    assert MATH.holds(Signals(category)) is expected


def test_conjunction_of_nothing_is_the_catch_all():
    """AND of nothing holds for every request and OR of nothing for none."""
    assert All(()).holds(Signals())
    assert not AnyOf(()).holds(Signals())


@given(rules=st.lists(RULES, max_size=4), signals=SIGNALS)
def test_boolean_laws(rules, signals):
    """De Morgan's laws and double negation hold for every tree."""
    parts = tuple(rules)
    negated = tuple(Not(rule) for rule in rules)
    assert Not(All(parts)).holds(signals) is AnyOf(negated).holds(signals)
    assert Not(AnyOf(parts)).holds(signals) is All(negated).holds(signals)
    assert all(Not(Not(rule)).holds(signals) is rule.holds(signals) for rule in rules)


@given(rule=RULES)
def test_rule_that_needs_nothing_does_not_depend_on_the_category(rule):
    """A tree without a category leaf asks for no signal and holds alike for all requests."""
    if not needs(rule):
        assert rule.holds(Signals()) is rule.holds(Signals("math"))


def test_compile_keeps_the_shape():
    """Operators become rules of the same meaning, and a leaf the labels of its domain."""
    tree = Node(
        operator="AND",
        conditions=[
            Node(operator="OR", conditions=[Leaf(type="domain", name="math")]),
            Node(operator="NOT", conditions=[Leaf(type="domain", name="law")]),
        ],
    )
    compiled = compile_rule(tree, lambda name: frozenset({name}), ValueError)
    assert compiled == All((AnyOf((MATH,)), Not(LAW)))
    assert needs(compiled) == {"category"}


@pytest.mark.parametrize("count", [0, 2])
def test_not_takes_one_condition(count):
    """NOT of nothing or of several conditions has no meaning that all readers share, so it is refused."""
    tree = Node(operator="NOT", conditions=[Leaf(type="domain", name="math")] * count)
    with pytest.raises(ValueError, match="arity"):
        compile_rule(tree, lambda name: frozenset({name}), lambda: ValueError("arity"))
