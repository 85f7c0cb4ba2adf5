"""The memory of kept answers: its bounds, and what it finds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.apis.endpoints import Api
from vsr_runtime.decision.program.effects import CachePolicy
from vsr_runtime.decision.request.cache_recording import CachedResponse
from vsr_runtime.decision.request.events import CacheKey
from vsr_runtime.server.memory_cache import OVERHEAD, CacheHit, MemoryCache

RULE = CachePolicy(60.0, 0.9)


def at(key: int, group: int | None = None, rule: CachePolicy = RULE) -> CacheKey:
    """A place."""
    return CacheKey(Api.CHAT, b"%d" % key, rule, None if group is None else b"%d" % group, "text")


def cached(text: str = "x", size: int = 1) -> CachedResponse:
    """An answer."""
    return CachedResponse("application/json", text.encode() * size)


def towards(*values: float) -> np.ndarray:
    """A vector of length one."""
    vector = np.array(values, dtype=np.float32)
    return vector / np.linalg.norm(vector)


class Clock:
    """Time that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        """The time."""
        return self.now


def test_an_answer_is_found_until_its_time_is_up():
    """Each by the time of its own route; what is too old is gone, however it is looked for."""
    clock = Clock()
    cache = MemoryCache(10, 1 << 20, clock)
    cache.keep(at(1, 1), towards(1, 0), cached("one"))
    cache.keep(at(2, rule=CachePolicy(5.0)), None, cached("two"))
    assert cache.find(at(1), None) == CacheHit(cached("one"))
    clock.now = 5.0
    assert cache.find(at(2), None) is None
    assert cache.find(at(3, 1), towards(1, 0)).similarity > 0.99
    clock.now = 60.0
    assert cache.find(at(3, 1), towards(1, 0)) is None
    assert (len(cache), cache.size, cache._groups) == (0, 0, {})


def test_a_new_answer_takes_the_place_of_the_old_one():
    """And nothing is counted twice."""
    cache = MemoryCache(10, 1 << 20)
    for text in ("one", "three"):
        cache.keep(at(1, 1), towards(1, 0), cached(text))
    assert cache.find(at(1), None) == CacheHit(cached("three"))
    assert (len(cache), len(cache._groups[b"1"].vectors)) == (1, 1)


def test_the_most_alike_of_its_own_group_is_found_if_it_is_alike_enough():
    """Vectors of other groups are never compared."""
    cache = MemoryCache(10, 1 << 20)
    cache.keep(at(1, 1), towards(1, 0.2), cached("near"))
    cache.keep(at(2, 1), towards(1, 0.1), cached("nearer"))
    cache.keep(at(3, 2), towards(1, 0), cached("same, elsewhere"))
    found = cache.find(at(9, 1), towards(1, 0))
    assert found.kept == cached("nearer")
    assert 0.99 < found.similarity < 1
    assert cache.find(at(9, 1), towards(0, 1)) is None
    assert cache.find(at(9, 3), towards(1, 0)) is None
    assert cache.find(at(9, 1), None) is None
    assert cache.find(at(9, 1, CachePolicy(60.0)), towards(1, 0)) is None


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(0, 3), st.integers(0, 3000), st.booleans()), max_size=60))
def test_it_never_holds_more_than_it_may_and_forgets_what_was_used_longest_ago(steps):
    """Whatever is kept and looked for in whatever order; what it counts is what it holds."""
    cache, order = MemoryCache(5, 8 * OVERHEAD), []
    for key, group, size, looks in steps:
        if looks:
            hit = cache.find(at(key), None) is not None
            assert hit is (key in order[-len(cache) :] if len(cache) else False)
        else:
            cache.keep(at(key, group), towards(1, key), cached("x", size))
            hit = True
        if hit:
            order = [*(each for each in order if each != key), key]
        assert len(cache) <= 5
        assert cache.size <= 8 * OVERHEAD
        assert cache.size == sum(entry.size for entry in cache._entries.values())
        assert [int(each) for each in cache._entries] == order[len(order) - len(cache) :]
        assert {each for group_ in cache._groups.values() for each in group_.vectors} == set(cache._entries)
        assert all(before != after for before, after in pairwise(order))


def test_answer_larger_than_the_capacity_is_not_cached():
    """It would only push the rest out."""
    cache = MemoryCache(5, 4 * OVERHEAD)
    cache.keep(at(1), None, cached())
    cache.keep(at(2), None, cached("x", 4 * OVERHEAD))
    assert (cache.find(at(1), None), cache.find(at(2), None)) == (CacheHit(cached()), None)


def test_requests_whose_words_changed_places_are_not_alike():
    """Their vectors are nearly equal: who owes whom is not."""
    cache = MemoryCache(10, 1 << 20)
    one = CacheKey(Api.CHAT, b"1", RULE, b"group", "what does alice owe bob?")
    cache.keep(one, towards(1, 0), cached())
    assert cache.find(CacheKey(Api.CHAT, b"2", RULE, b"group", "what does bob owe alice?"), towards(1, 0)) is None
    assert cache.find(CacheKey(Api.CHAT, b"3", RULE, b"group", "what does alice owe to bob?"), towards(1, 0))


def test_an_answer_is_kept_no_longer_than_its_server_calls_it_fresh():
    """A shorter time than the route's holds, a longer one does not."""
    clock = Clock()
    cache = MemoryCache(10, 1 << 20, clock)
    for key, lifetime in ((1, 5.0), (2, 500.0)):
        cache.keep(at(key), None, CachedResponse("application/json", b"x", lifetime))
    clock.now = 5.0
    assert cache.find(at(1), None) is None
    assert cache.find(at(2), None)
    clock.now = 60.0
    assert cache.find(at(2), None) is None
