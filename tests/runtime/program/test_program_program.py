from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from runtime.program.program import Decision, Program, Route
from runtime.program.rules import All, Category, Signals

MATH = Route("math", Category(frozenset({"math"})), "small")
EVERYTHING = Route("everything", All(()), "large")


def program(*routes: Route) -> Program:
    """A program of three models with these routes."""
    return Program(("small", "large", "default"), ("auto",), routes, "default")


def test_first_route_that_holds_decides():
    """Routes are asked in their order, and the first that holds names the model."""
    assert program(MATH, EVERYTHING).decide(Signals("math")) == Decision("small", "math")
    assert program(EVERYTHING, MATH).decide(Signals("math")) == Decision("large", "everything")


def test_default_serves_when_no_route_holds():
    """A request that no route wants goes to the default model, and no route is named."""
    assert program(MATH).decide(Signals("law")) == Decision("default", None)
    assert program().decide(Signals()) == Decision("default", None)


def test_fallback_stands_in_for_a_category_that_was_not_found():
    """Only where no category was found does the fallback take its place; the probability stays as it was."""
    with_fallback = replace(program(MATH), fallback="other")
    assert with_fallback.settled(Signals(None, 0.2)) == Signals("other", 0.2)
    assert with_fallback.settled(Signals("math", 0.9)) == Signals("math", 0.9)
    assert program(MATH).settled(Signals(None, 0.2)) == Signals(None, 0.2)


def test_signals_are_needed_only_if_a_route_asks():
    """A program whose routes ask for nothing needs no classifier."""
    assert program(EVERYTHING).needs == frozenset()
    assert program(EVERYTHING, MATH).needs == {"category"}


@given(category=st.none() | st.text())
def test_every_request_gets_a_configured_model(category):
    """Whatever the category, the decision is one of the configured models."""
    chosen = program(MATH).decide(Signals(category))
    assert chosen.model in program(MATH).models
