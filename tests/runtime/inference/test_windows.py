from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.inference.windows import Windows, aggregate_windows, stitch

SHAPES = st.integers(2, 40).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1)))


@given(SHAPES, st.integers(0, 400))
def test_the_whole_text_is_covered_in_full_windows_that_overlap_enough(shape, tokens):
    """No token is skipped, no window is longer than the model reads, and neighbours share what they are to share."""
    size, overlap = shape
    cuts = Windows(size, overlap, whole=True).cut(tokens)
    assert set().union(*(range(a, b) for a, b in cuts)) == set(range(tokens))
    assert all(b - a == min(size, tokens) for a, b in cuts)
    for (_, end), (begin, _) in pairwise(cuts):
        assert end - begin >= overlap


@pytest.mark.parametrize(
    ("tokens", "cuts"),
    [
        (0, [(0, 0)]),
        (9, [(0, 9)]),
        (10, [(0, 10)]),
        (11, [(0, 10), (1, 11)]),
        (17, [(0, 10), (7, 17)]),
        (18, [(0, 10), (7, 17), (8, 18)]),
        (24, [(0, 10), (7, 17), (14, 24)]),
    ],
)
def test_edges_of_windows(tokens, cuts):
    """One token more than a window makes a second one, and not before."""
    assert Windows(10, 3, whole=True).cut(tokens) == cuts


def test_truncation_reads_the_beginning_alone():
    """Where a policy says so, what is beyond the first window is not read."""
    assert Windows(10, 3, whole=False).cut(25) == [(0, 10)]


@pytest.mark.parametrize(("size", "overlap"), [(10, 10), (10, 11), (1, 1), (0, 0), (5, -1)])
def test_windows_that_would_not_advance_are_a_mistake(size, overlap):
    """They would never reach the end."""
    with pytest.raises(ValueError, match="cannot overlap"):
        Windows(size, overlap, whole=True)


def test_the_worst_window_speaks_for_the_text():
    """An attack in one window of many is not diluted by the others."""
    rows = [np.array([0.9, 0.1], np.float32), np.array([0.2, 0.8], np.float32), np.array([0.95, 0.05], np.float32)]
    assert aggregate_windows(rows, [10, 10, 10], "max").tolist() == pytest.approx([0.95, 0.8])


def test_the_mean_weighs_by_tokens():
    """A category belongs to the text as a whole, and stays a distribution."""
    rows = [np.array([1.0, 0.0], np.float32), np.array([0.0, 1.0], np.float32)]
    assert aggregate_windows(rows, [30, 10], "mean").tolist() == pytest.approx([0.75, 0.25])
    assert aggregate_windows(rows[:1], [0], "mean").tolist() == [1.0, 0.0]


@given(SHAPES, st.integers(1, 300))
def test_each_token_is_answered_once_by_the_window_that_shows_most_around_it(shape, tokens):
    """Stitched tables have a row for each token, from a window in which no other shows it farther from an edge."""
    size, overlap = shape
    cuts = Windows(size, overlap, whole=True).cut(tokens)
    rows = [np.array([[number, token] for token in range(a, b)], np.float32) for number, (a, b) in enumerate(cuts)]
    table = stitch(rows, cuts)
    assert table[:, 1].tolist() == list(range(tokens))

    def depth(window: int, token: int) -> int:
        begin, end = cuts[window]
        left = token - begin if window else tokens
        right = end - 1 - token if window + 1 < len(cuts) else tokens
        return min(left, right)

    if 2 * overlap <= size:  # no token lies in three windows, but for those at the end, which is drawn back
        for window, token in table[: cuts[-2][0] if len(cuts) > 1 else tokens].astype(int):
            assert depth(window, token) == max(depth(w, token) for w, (a, b) in enumerate(cuts) if a <= token < b)
