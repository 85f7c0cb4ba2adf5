from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.deadline import DeadlineExceededError, never
from vsr_runtime.decision.signals.words import compile_words


def has(word: str, text: str, *, case_sensitive: bool = False) -> bool:
    """Whether the text has the word."""
    return next(iter(compile_words([word], case_sensitive=case_sensitive).occurrences(text, never)))


@pytest.mark.parametrize(
    ("word", "text", "expected"),
    [
        ("urgent", "This is URGENT!", True),
        ("urgent", "urgent", True),
        ("urgent", "urgently", False),
        ("urgent", "insurgent", False),
        ("urgent", "urgent2", False),
        ("urgent", "_urgent", False),
        ("urgent", "re-urgent", True),
        ("urgent", "urgently urgent", True),
        ("aa", "aaa aa", True),
        ("as soon as", "come as soon as you can", True),
        ("c++", "in c++", True),
        ("c++", "in c++20", True),
        ("c++", "xc++", False),
        (".net", "asp.net", True),
        ("python", "用python写", True),
        ("python", "파이썬python을", True),
        ("日本", "日本語", True),
        ("é", "é", True),
        ("é", "e\u0301", True),
        ("e\u0301", "é", True),
        ("e", "e\u0301", False),
        ("é", "café", False),
        ("हिन", "हिन्दी", False),
        ("हिन्दी", "वह हिन्दी है", True),
        ("straße", "STRASSE", True),
        ("żółw", "ŻÓŁW", True),
        ("żółw", "ŻÓŁWIE", False),
        ("a.c", "abc", False),
    ],
)
def test_words_are_whole_and_of_any_case(word, text, expected):
    """A word is delimited by characters outside of words; scripts without spaces need no delimiter."""
    assert has(word, text) is expected


def test_case_sensitive_matching():
    """A case-sensitive word is found only as it is written."""
    assert has("US", "in the US", case_sensitive=True)
    assert not has("US", "tell us", case_sensitive=True)


@pytest.mark.parametrize("word", ["", " "])
def test_empty_word_is_rejected(word):
    """A word of nothing would hold everywhere."""
    with pytest.raises(ValueError, match="empty"):
        compile_words([word], case_sensitive=False)


@pytest.mark.parametrize(
    ("text", "number"), [("a b a", 3), ("a a", 2), ("ab", 0), ("", 0), ("a,a,b!", 3), ("a" * 50, 0)]
)
def test_occurrences_are_counted(text, number):
    """All words count together."""
    assert compile_words(["a", "b"], case_sensitive=False).count(text, 100, never) == number


def test_counting_stops():
    """Nothing is counted beyond what makes a difference."""
    assert compile_words(["a"], case_sensitive=False).count("a " * 1000, 7, never) == 7


def test_deadline_is_checked():
    """Where the time is up, looking ends in an explained error."""
    words = compile_words(["a"], case_sensitive=False)
    with pytest.raises(DeadlineExceededError):
        list(words.occurrences("a", lambda: True))
    with pytest.raises(DeadlineExceededError):
        words.count("a", 9, lambda: True)


ASCII = st.text("ab_ 1-", max_size=12)


@given(word=st.text("ab1", min_size=1, max_size=3), text=ASCII)
def test_agrees_with_word_boundaries_on_ascii(word, text):
    r"""For plain words and texts this is ``\b`` on both sides."""
    assert has(word, text) is (re.search(rf"\b{word}\b", text, re.ASCII) is not None)


@given(word=st.text(min_size=1, max_size=4).filter(str.strip), left=st.text(max_size=3), right=st.text(max_size=3))
def test_word_between_blanks_is_always_found(word, left, right):
    """Whatever the script, a word with blanks around it is there."""
    assert has(word, f"{left} {word} {right}")
