from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.inference.engine.queue import MAX_SEQUENCES, TokenQueue

BUDGET = 100


@dataclass(eq=False)
class Work:
    """A sequence of work with a name."""

    size: int
    until: float = 10.0
    wanted: bool = True


WORK = st.builds(Work, size=st.integers(1, BUDGET), until=st.floats(0, 20, allow_nan=False), wanted=st.booleans())


def filled(work: list[Work]) -> TokenQueue[Work]:
    """A queue that holds the work, with what is not wanted already abandoned."""
    queue: TokenQueue[Work] = TokenQueue(BUDGET, 10**6)
    for one in work:
        queue.push(one)
        if not one.wanted:
            queue.abandon(one)
    return queue


@given(st.lists(WORK, max_size=60), st.floats(0, 20))
def test_no_batch_exceeds_its_budget_and_nothing_is_lost_or_overtaken(work, now):
    """Taking until nothing is left gives every wanted sequence once, in order: in a batch if in time, else as late."""
    queue = filled(work)
    batches, late = [], []
    while True:
        batch, dropped = queue.take(now)
        late += dropped
        if not batch:
            break
        assert sum(one.size for one in batch) <= BUDGET
        batches.append(batch)
    served = [one for batch in batches for one in batch]
    assert served == [one for one in work if one.wanted and one.until > now]
    assert late == [one for one in work if one.wanted and one.until <= now]
    assert queue.tokens == 0


@given(st.lists(WORK.filter(lambda one: one.wanted), min_size=1, max_size=60))
def test_batches_are_as_full_as_order_allows(work):
    """A batch ends only where the next sequence would not fit: small ones cannot keep a large one waiting."""
    queue = filled(work)
    taken = []
    while batch := queue.take(-1.0)[0]:
        taken.append(batch)
    for before, after in pairwise(taken):
        assert sum(one.size for one in before) + after[0].size > BUDGET


@given(st.lists(WORK, max_size=40))
def test_tokens_count_what_is_wanted(work):
    """The number that replicas follow leaves out what nobody waits for."""
    assert filled(work).tokens == sum(one.size for one in work if one.wanted)


def test_a_batch_has_a_bound_on_pieces_too():
    """Thousands of tiny sequences make several batches."""
    queue: TokenQueue[Work] = TokenQueue(10**6, 10**6)
    for _ in range(MAX_SEQUENCES + 1):
        queue.push(Work(1))
    assert [len(queue.take(0.0)[0]) for _ in range(3)] == [MAX_SEQUENCES, 1, 0]


def test_a_piece_larger_than_a_batch_is_a_mistake():
    """It would wait for ever."""
    with pytest.raises(ValueError, match="larger than a batch"):
        filled([Work(BUDGET + 1)])


def test_room_is_bounded():
    """Beyond the bound nothing more fits; capacity comes back with what is taken."""
    queue: TokenQueue[Work] = TokenQueue(BUDGET, 150)
    queue.push(Work(100))
    assert queue.fits(50)
    assert not queue.fits(51)
    queue.take(0.0)
    assert queue.fits(150)
