"""Suggestions for names that are not defined."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_compiler.diagnostics.suggestions import edit_distance, nearest, suggest

WORDS = st.text("abc", max_size=6)


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("modle", "model"),
        ("Model", "model"),
        ("modelss", "model"),
        ("hostnames", None),
        ("mo", None),
        ("m", None),
        ("", None),
        ("nmae", "name"),
        ("aliases", None),
        ("x" * 10_000, None),
    ],
)
def test_only_two_typing_errors_are_corrected(word: str, meant: str | None) -> None:
    """A longer way from one name to another is no typing error."""
    assert nearest(word, ["name", "model", "alias_name"]) == meant


def test_a_word_of_which_no_letter_is_left_is_not_suggested() -> None:
    """Otherwise every name of one or two letters would suggest any other."""
    assert nearest("xx", ["de"]) is None
    assert nearest("x", ["a"]) is None


def test_the_first_letter_decides_between_equally_near_names() -> None:
    """People seldom miss the first letter."""
    assert nearest("bat", ["cat", "bar"]) == "bar"


def test_what_is_allowed_is_listed_when_no_name_is_near() -> None:
    """In the given order, and not without end."""
    assert suggest("hostnames", ["name", "listener"]) == "Use one of: `name`, `listener`."
    assert suggest("x", ["name"]) == "Use `name`."
    assert suggest("x", []) == ""
    assert suggest("zzz", [f"n{i}" for i in range(15)], limit=3) == "Use one of: `n0`, `n1`, `n2`, and 12 more."


@given(WORDS, WORDS)
def test_the_distance_is_that_of_the_definition(one: str, other: str) -> None:
    """Compared with the recursive definition, and equal in both directions."""

    @cache
    def distance(i: int, j: int) -> int:
        if not i or not j:
            return i + j
        costs = [distance(i - 1, j) + 1, distance(i, j - 1) + 1, distance(i - 1, j - 1) + (one[i - 1] != other[j - 1])]
        if i > 1 and j > 1 and one[i - 1] == other[j - 2] and one[i - 2] == other[j - 1]:
            costs.append(distance(i - 2, j - 2) + 1)
        return min(costs)

    assert edit_distance(one, other) == edit_distance(other, one) == distance(len(one), len(other))


@given(WORDS, st.lists(WORDS, max_size=5))
def test_no_candidate_is_nearer_than_the_suggested_one(word: str, candidates: list[str]) -> None:
    """And one that is suggested is within two typing errors."""
    near = nearest(word, candidates)
    distances = [edit_distance(word, candidate) for candidate in candidates]
    reachable = [distance for distance in distances if distance <= min(2, len(word) - 1)]
    assert (near is None) == (not reachable)
    if near is not None:
        assert edit_distance(word, near) == min(reachable)
