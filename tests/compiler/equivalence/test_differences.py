"""Every change that changes a decision is found, and nothing else: held against all requests of a small world."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from support.stock_generated import CHANGES, Seen, changed, generated, outcome, reformed, world
from vsr_compiler.equivalence import Proof, prove, read_side

SEEDS = st.integers(0, 2**32)


def proof_of(source: dict[str, object], policy: dict[str, object]) -> Proof:
    """The proof of two configs."""
    return prove(read_side(source), read_side(policy))


@pytest.mark.parametrize("kind", sorted(CHANGES))
@given(SEEDS, SEEDS)
@examples(5)
def test_a_change_is_found_if_and_only_if_it_changes_a_decision(kind: str, seed: int, other: int) -> None:
    """The world has a request for each combination that matters, so it decides what is right."""
    source = generated(seed)
    policy = changed(source, kind, other)
    requests = world(source, policy)
    differs = any((ours := outcome(policy, seen)) != outcome(source, seen) or len(ours) > 1 for seen in requests)
    assert proof_of(policy, source).verdict == ("different" if differs else "equal")


@given(SEEDS, SEEDS)
@examples(40)
def test_other_names_orders_and_forms_are_no_difference(seed: int, other: int) -> None:
    """Names of signals, order of lists, nesting, double negations, priorities in the same order, prose."""
    source = generated(seed)
    assert proof_of(source, reformed(source, other)).verdict == "equal"
    assert proof_of(reformed(source, other), source).verdict == "equal"


@given(SEEDS, st.sampled_from(sorted(CHANGES)), SEEDS)
@examples(40)
def test_a_shown_text_is_decided_differently(seed: int, kind: str, other: int) -> None:
    """A text that is complete needs nothing else: no category, no scores."""
    source = generated(seed)
    policy = changed(source, kind, other)
    for difference in proof_of(source, policy).differences:
        text = difference.request.text
        if text is not None and difference.request.complete:
            size = -(-len(text.encode()) // 4)
            seen = Seen(text, size if text.endswith(" .") else 0)  # one that is padded is as long as it must be
            assert outcome(source, seen) != outcome(policy, seen) or len(outcome(source, seen)) > 1
