from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.deadline import DeadlineExceededError, never
from vsr_runtime.decision.patterns import MAX_PROGRAM, compile_patterns


def has(pattern: str, text: str, *, case_sensitive: bool = False) -> bool:
    """Whether the pattern occurs in the text."""
    return next(iter(compile_patterns([pattern], case_sensitive=case_sensitive).occurrences(text, never)))


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"\bsql\b", "my SQL query", True),
        ("[0-9]{3}-[0-9]{4}", "call 555-1234", True),
        ("^abc$", "xabc", False),
        ("été", "ÉTÉ", True),
        (r"\p{Han}", "漢", True),
        ("(a+)+$", "a" * 100_000 + "!", False),
        ("(a|aa)+$", "a" * 100_000 + "!", False),
        ("(.*)(.*)(.*)(.*)(.*)x", "a" * 100_000, False),
    ],
)
def test_patterns_are_searched(pattern, text, expected):
    """Patterns hold anywhere in the text, in any case; those that make a backtracking engine hang come back at once."""
    assert has(pattern, text) is expected


def test_case_sensitive_matching():
    """A case-sensitive pattern is found only as it is written."""
    assert not has("abc", "ABC", case_sensitive=True)


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("(?=a)b", "linear"),
        ("(?<!a)b", "linear"),
        (r"(a)\1", "linear"),
        ("a++", "linear"),
        ("(?>a)", "linear"),
        ("(", "linear"),
        ("a{1001}", "linear"),
        (r"[\pL\pN]{4}" * 9, "too large"),
        ("a*", "empty text"),
        ("", "empty text"),
    ],
)
def test_unsupported_pattern_is_rejected(pattern, message):
    """Look-around, back-references, possessive and atomic groups, and patterns that are huge or hold everywhere."""
    with pytest.raises(ValueError, match=message):
        compile_patterns([pattern], case_sensitive=True)


def test_work_is_the_size_of_the_programs():
    """What is compiled says how many steps a byte may take."""
    small, large = (compile_patterns([text], case_sensitive=True).work for text in ("a", "[ab]{100}c"))
    assert 0 < small < large <= MAX_PROGRAM


def test_counting_stops_and_asks_for_time():
    """A pattern whose every match looks at the whole rest is counted no further than needed, nor beyond the time."""
    quadratic = compile_patterns(["a.*b|a"], case_sensitive=True)
    assert quadratic.count("a" * 100_000, 3, never) == 3
    expirations = iter([False, False, True])
    with pytest.raises(DeadlineExceededError):
        quadratic.count("a" * 100_000, 1000, lambda: next(expirations))
    with pytest.raises(DeadlineExceededError):
        list(quadratic.occurrences("a", lambda: True))


@given(text=st.text("ab1 é日", max_size=20), pattern=st.sampled_from(["a", "ab|b", "[0-9]+", r"\b1\b|é", "日."]))
def test_counts_as_the_standard_library_does(text, pattern):
    """Matches do not overlap, in bytes as in characters."""
    flags = re.ASCII if "b1" in pattern else 0
    expected = len(re.findall(pattern, text, flags))
    assert compile_patterns([pattern], case_sensitive=True).count(text, 1000, never) == expected


def test_counted_dots_of_published_patterns_fit():
    """Each dot stands for any character, so a pattern with many of them is large, but no slower than others."""
    pattern = "|".join(
        f"({word}).{{0,48}}(phrase|expression|term)" for word in ("define", "explica", "erkläre", "объясни")
    )
    assert has(f"(?i){pattern}", "Erkläre bitte diese EXPRESSION")
