from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.inference.engine.latency_estimator import LatencyEstimator


def learned(*batches: tuple[int, float]) -> LatencyEstimator:
    """A pace that has seen batches of so many tokens and seconds."""
    pace = LatencyEstimator()
    for tokens, seconds in batches:
        pace.learn(tokens, seconds)
    return pace


def test_nothing_is_expected_before_anything_was_seen():
    """The first request is always tried."""
    assert LatencyEstimator().seconds(10**6, 100) == 0.0


def test_a_line_is_found():
    """Time that does not depend on the size, as that of starting a GPU's kernels, is separated from time that does."""
    pace = learned(*[(size, 0.003 + size * 1e-6) for size in (16, 4096, 16384, 16, 4096, 16384)])
    assert pace.seconds(100, 16384) == pytest.approx(0.0031, rel=0.02)
    assert pace.seconds(2 * 16384, 16384) == pytest.approx(2 * (0.003 + 0.016384), rel=0.02)


def test_many_small_batches_do_not_shed_a_burst():
    """After a quiet hour of single prompts, a full batch is not expected to take a hundred times as long as it will."""
    quiet = [(20, 0.003)] * 500
    pace = learned((16, 0.003), (4096, 0.007), (16384, 0.019), *quiet)
    assert pace.seconds(16384, 16384) < 0.05


def test_one_slow_batch_moves_the_estimate_little():
    """A pause of the machine is no reason to turn requests away."""
    pace = learned(*[(100, 0.01)] * 20, (100, 60.0))
    assert pace.seconds(100, 100) < 0.02


@given(st.lists(st.tuples(st.integers(1, 20_000), st.floats(0, 10)), min_size=1, max_size=30))
def test_expectations_are_never_negative_and_grow_with_the_work(batches):
    """Whatever was seen, more tokens take no less time."""
    pace = learned(*batches)
    found = [pace.seconds(tokens, 500) for tokens in range(0, 5000, 100)]
    assert found[0] >= 0.0
    assert all(after >= before - 1e-9 for before, after in pairwise(found))
