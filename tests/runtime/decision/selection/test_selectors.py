"""The algorithms that select a model, against the formulas of the stock router's code, written down a second time."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.selection.observations import Observed, percentile
from vsr_runtime.decision.selection.selectors import Candidate, Ceilings, LatencyAware, MultiFactor, Weights

NUMBERS = st.sampled_from([0.0, 0.001, 0.02, 0.5, 1.0, 3.0, 10.0])
MAYBE = st.none() | NUMBERS
WEIGHTS = st.builds(Weights.normalised, *[st.sampled_from([-1.0, 0.0, 0.2, 0.4, 1.0])] * 4)
CEILINGS = st.builds(Ceilings, NUMBERS, NUMBERS, NUMBERS, st.integers(0, 4))


@st.composite
def situations(draw):
    """Candidates and what was observed of them; of some nothing."""
    count = draw(st.integers(1, 5))
    candidates = [Candidate(f"m{i}", f"m{i}", draw(NUMBERS), draw(NUMBERS)) for i in range(count)]
    observed = {}
    for one in candidates:
        tpot, ttft = draw(MAYBE), draw(MAYBE)
        if draw(st.booleans()):
            observed[one.model] = Observed(
                draw(st.integers(0, 5)),
                {} if tpot is None else {95: tpot, 50: tpot / 2},
                {} if ttft is None else {95: ttft, 50: ttft / 2},
            )
    return candidates, observed


def _stock_excludes(one, own, most):
    tpot, ttft = own.tpot.get(95, 0.0), own.ttft.get(95, 0.0)
    pairs = [(tpot * 1000, most.tpot_ms), (ttft * 1000, most.ttft_ms), (one.price, most.price)]
    return any(limit > 0 and value > limit for value, limit in [*pairs, (own.in_flight, most.in_flight)])


def _stock_part(value, values, *, lower_is_better):
    known = [one for one in values if one is not None]
    if value is None:
        return 0.0
    if max(known) - min(known) <= 0:
        return 0.5
    share = (value - min(known)) / (max(known) - min(known))
    return 1 - share if lower_is_better else share


def _stock_multi_factor(candidates, observed, weights, most, when_none):
    """The best candidate, step by step."""
    pairs = [(one, observed.get(one.model, Observed())) for one in candidates]
    kept = [(one, own) for one, own in pairs if not _stock_excludes(one, own, most)]
    if not kept:
        priced = [one for one in candidates if one.price > 0]
        return min(priced, key=lambda one: one.price) if priced and when_none == "cheapest" else candidates[0]
    columns = [
        (weights.quality, [one.quality or None for one, _ in kept], False),
        (weights.latency, [own.tpot.get(95, own.ttft.get(95)) for _, own in kept], True),
        (weights.cost, [one.price or None for one, _ in kept], True),
        (weights.load, [own.in_flight for _, own in kept], True),
    ]
    best, highest = None, -math.inf
    for i, (one, _) in enumerate(kept):
        score = 0.0
        for weight, values, lower in columns:
            score += weight * _stock_part(values[i], values, lower_is_better=lower)
        if score > highest:
            best, highest = one, score
    return best


@given(situations(), WEIGHTS, CEILINGS, st.sampled_from(["first", "cheapest"]))
def test_multi_factor_selects_as_the_stock_formula(situation, weights, most, when_none):
    """The weighted sum of scaled factors, behind ceilings."""
    candidates, observed = situation
    selected = MultiFactor(weights, most, 95, when_none).select(candidates, observed)
    assert selected == _stock_multi_factor(candidates, observed, weights, most, when_none)


@given(situations(), st.sampled_from([(95, None), (None, 50), (50, 95)]))
def test_latency_aware_selects_as_the_stock_formula(situation, shares):
    """The mean of latencies in proportion to the best; models with a value unknown are left out."""
    candidates, observed = situation
    tpot, ttft = shares
    rows = []
    for one in candidates:
        own = observed.get(one.model, Observed())
        row = [own.tpot.get(tpot)] * (tpot is not None) + [own.ttft.get(ttft)] * (ttft is not None)
        if None not in row:
            rows.append((one, row))
    expected, lowest = candidates[0], math.inf
    for one, row in rows:
        least = [min(other[i] for _, other in rows) for i in range(len(row))]
        score = sum(value / (best if best > 0 else 1.0) for value, best in zip(row, least, strict=True)) / len(row)
        if score < lowest:
            expected, lowest = one, score
    assert LatencyAware(tpot, ttft).select(candidates, observed) == expected


@given(situations(), WEIGHTS, CEILINGS)
def test_selection_does_not_depend_on_what_is_not_observed_of_candidates(situation, weights, most):
    """Other models change nothing."""
    candidates, observed = situation
    selector = MultiFactor(weights, most)
    others = observed | {"other": Observed(99, {95: 9.0}, {95: 9.0})}
    assert selector.select(candidates, others) == selector.select(candidates, observed)


def test_weights_that_are_all_zero_count_alike():
    """As the stock router's."""
    assert Weights.normalised(0, 0, 0, -1) == Weights(0.25, 0.25, 0.25, 0.25)


def test_percentiles_are_interpolated():
    """Between the two nearest values."""
    assert percentile([1.0, 2.0, 3.0], 50) == 2.0
    assert percentile([1.0, 2.0, 3.0], 95) == pytest.approx(2.9)
    assert percentile([1.0, 2.0, 3.0], 100) == 3.0
