"""Decision diagrams against truth tables."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_compiler.analysis.bdd import FALSE, TRUE, Bdd

VARIABLES = 4
Formula = tuple[str, ...] | tuple[str, "Formula"] | tuple[str, "Formula", "Formula"] | int
formulas = st.recursive(
    st.integers(0, VARIABLES - 1),
    lambda inner: st.tuples(st.just("not"), inner) | st.tuples(st.sampled_from(["and", "or"]), inner, inner),
    max_leaves=12,
)


def build(bdd: Bdd, formula) -> int:
    """A formula as a diagram."""
    if isinstance(formula, int):
        return bdd.variable(formula)
    if formula[0] == "not":
        return bdd.without(build(bdd, formula[1]))
    left, right = build(bdd, formula[1]), build(bdd, formula[2])
    return bdd.both(left, right) if formula[0] == "and" else bdd.either(left, right)


def value(formula, assignment) -> bool:
    """A formula's value, by definition."""
    if isinstance(formula, int):
        return assignment[formula]
    if formula[0] == "not":
        return not value(formula[1], assignment)
    left, right = value(formula[1], assignment), value(formula[2], assignment)
    return (left and right) if formula[0] == "and" else (left or right)


def table(formula) -> list[bool]:
    """A formula's truth table."""
    return [value(formula, assignment) for assignment in product([False, True], repeat=VARIABLES)]


@given(formulas, formulas)
def test_equal_formulas_are_equal_diagrams_and_only_they(left, right) -> None:
    """Two formulas with one truth table are one number."""
    bdd = Bdd()
    assert (build(bdd, left) == build(bdd, right)) == (table(left) == table(right))


@given(formulas)
def test_what_is_picked_fulfils_the_formula(formula) -> None:
    """Whatever the variables that were not picked."""
    bdd = Bdd()
    diagram = build(bdd, formula)
    if diagram == FALSE:
        assert not any(table(formula))
        with pytest.raises(ValueError, match="nothing"):
            bdd.pick(diagram)
        return
    chosen = bdd.pick(diagram)
    for assignment in product([False, True], repeat=VARIABLES):
        if all(assignment[variable] == wanted for variable, wanted in chosen.items()):
            assert value(formula, assignment)


def test_constants_are_the_two_ends() -> None:
    """A thing and its opposite are everything together and nothing at once."""
    bdd = Bdd()
    x = bdd.variable(0)
    assert bdd.either(x, bdd.without(x)) == TRUE
    assert bdd.both(x, bdd.without(x)) == FALSE
