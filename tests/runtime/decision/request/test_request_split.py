from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.program.split import split_point


@given(st.binary())
def test_number_is_of_the_range_and_always_the_same(seed):
    """One seed has one number of [0, 100)."""
    assert 0 <= split_point(seed) < 100
    assert split_point(seed) == split_point(seed)


def test_number_does_not_change_between_releases():
    """A request keeps its side of a split when the runtime is updated."""
    assert split_point(b"request-1") == pytest.approx(19.25785, abs=1e-4)


@pytest.mark.parametrize("share", [1, 10, 50, 90])
def test_shares_are_kept_over_many_requests(share):
    """Of 20,000 fixed ids, the part below a share is that share, within four standard deviations."""
    number = 20_000
    below = sum(split_point(f"request-{i}".encode()) < share for i in range(number))
    expected = number * share / 100
    deviation = (expected * (1 - share / 100)) ** 0.5
    assert abs(below - expected) < 4 * deviation
