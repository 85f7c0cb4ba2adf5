"""Keywords by BM25, by n-grams and with typing errors, compared with values by hand."""

from __future__ import annotations

from math import log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.deadline import Budget, BudgetExceededError, DeadlineExceededError, never
from vsr_runtime.decision.signals.heuristic import build_keyword
from vsr_runtime.decision.signals.keywords.bm25 import compile_bm25
from vsr_runtime.decision.signals.keywords.english import terms, to_ascii
from vsr_runtime.decision.signals.keywords.fuzzy import with_typing_errors
from vsr_runtime.decision.signals.keywords.ngrams import compile_ngrams
from vsr_runtime.decision.signals.keywords.stemming import stem
from vsr_runtime.decision.signals.words import compile_words
from vsr_runtime.decision.view import RequestView
from vsr_schemas.routerconfig import v0_4_0 as contract

WORDS = st.text("abcx", max_size=8)


def keyword(operator: str, *words: str, **more: object):
    """A keyword signal."""
    return build_keyword(contract.KeywordRule(name="k", operator=operator, keywords=list(words), **more))


def holds(signal, text: str) -> bool:
    """Whether a request with this text has the signal."""
    return signal.holds(RequestView(text), never)


STEMS = {
    "caresses": "caress",
    "flies": "fli",
    "ties": "tie",
    "gas": "gas",
    "kiwis": "kiwi",
    "agreed": "agre",
    "hopping": "hop",
    "hoped": "hope",
    "luxuriating": "luxuri",
    "happy": "happi",
    "say": "say",
    "by": "by",
    "generously": "generous",
    "national": "nation",
    "relational": "relat",
    "sensibly": "sensibl",
    "university": "univers",
    "adoption": "adopt",
    "controlling": "control",
    "dying": "die",
    "news": "news",
    "proceed": "proceed",
    "youth": "youth",
    "payments": "payment",
    "refunded": "refund",
    "knightly": "knight",
}


@pytest.mark.parametrize(("word", "expected"), STEMS.items())
def test_words_are_stemmed_by_porters_second_algorithm(word, expected):
    """The stems that the reference implementation of the algorithm gives."""
    assert stem(word) == expected


def test_words_of_a_text_are_ascii_and_no_stop_words():
    """Accents and case are dropped, points join letters and digits, and the rest ends a word."""
    text = "The Caf\u00e9\u2019s REFUNDS: v1.2 isn't 日本 for_all e.g. 3,5 naïve"
    assert list(terms(text, never)) == ["cafe", "refund", "v1.2", "for_al", "e.g", "3,5", "naiv"]
    assert to_ascii("Straße") == "Strasse"


def test_bm25_scores_by_rarity_and_length():
    """With k1 = 1.2 and b = 0.75, of two keywords that have two words and one, so 1.5 on average."""
    found = compile_bm25(["refund payment", "refund"], 0.1)
    both, one = log(1 + 0.5 / 2.5), log(1 + 1.5 / 1.5)  # of 2 documents, 2 and 1 have the word
    long, short = 2.2 / (1 + 1.2 * (0.25 + 0.75 * 2 / 1.5)), 2.2 / (1 + 1.2 * (0.25 + 0.75 * 1 / 1.5))
    assert found.scores("a refund, please") == pytest.approx({0: both * long, 1: both * short})
    # Every occurrence in the text counts, and each word is compared by its stem.
    assert found.scores("Refunds of payments and refunding") == pytest.approx(
        {0: 2 * both * long + one * long, 1: 2 * both * short}
    )
    assert found.scores("nothing of it") == {}


@pytest.mark.parametrize(
    ("operator", "text", "expected"),
    [
        ("OR", "I want my refund", True),
        ("OR", "hello", False),
        ("AND", "I want my refund", False),
        ("AND", "refund the payment", True),
        ("NOR", "refund", False),
        ("NOR", "hello", True),
        ("OR", "", False),
        ("NOR", "", True),
    ],
)
def test_bm25_operators(operator, text, expected):
    """Any, all or none of the keywords reach the score."""
    assert holds(keyword(operator, "refund", "payments", method="bm25"), text) is expected


def test_bm25_threshold_decides():
    """A single keyword weighs log(4/3), because each document has it."""
    assert holds(keyword("OR", "refund", method="bm25", bm25_threshold=0.28), "refund")
    assert not holds(keyword("OR", "refund", method="bm25", bm25_threshold=0.29), "refund")
    assert holds(keyword("OR", "refund", method="bm25", bm25_threshold=0.29), "refund refund")


def test_bm25_ignores_case_whatever_the_rule_says():
    """Its words are always compared in lower case."""
    assert holds(keyword("OR", "Refund", method="bm25", case_sensitive=True), "refund")


@pytest.mark.parametrize("word", ["退款", "возврат", "Größe und αβγ"])
def test_bm25_refuses_letters_that_it_would_spell_otherwise(word):
    """The stock router spells other scripts in ASCII by tables of its own."""
    with pytest.raises(ValueError, match="cannot compare"):
        keyword("OR", word, method="bm25")


@pytest.mark.parametrize("threshold", [-1.0, float("inf"), float("nan")])
def test_thresholds_must_be_numbers_that_can_be_reached(threshold):
    """A rule that always or never holds is a mistake."""
    with pytest.raises(ValueError, match="bm25_threshold"):
        compile_bm25(["a"], threshold)
    with pytest.raises(ValueError, match="ngram_threshold"):
        compile_ngrams(["a"], threshold, 3, case_sensitive=False)


def test_ngrams_compare_words_with_keywords():
    """``urgnt`` has 7 padded trigrams and ``urgent`` 8; 5 are the same, so 10 in all: 1 - (1 - 5/10)²."""
    found = compile_ngrams(["urgent"], 0.4, 3, case_sensitive=False)
    assert found.similar("urgnt", never) == pytest.approx({"urgent": 0.75})
    assert found.similar("urgent", never) == {"urgent": 1.0}
    # Of 8 trigrams on both sides, the three with the wrong letter differ.
    assert found.similar("uxgent", never) == pytest.approx({"urgent": 1 - (1 - 5 / 11) ** 2})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("this is urgnt!", True),
        ("this is URGENT", True),
        ("this is important", False),
        ("tell me what machine lerning is about", False),
        ("machine lerning", True),
        ("", False),
    ],
)
def test_ngram_keywords_tolerate_errors_in_words_and_whole_texts(text, expected):
    """A keyword of several words is compared with the whole text only, as by the stock router."""
    assert holds(keyword("OR", "urgent", "machine learning", method="ngram", ngram_threshold=0.7), text) is expected


def test_ngram_operators():
    """All or none of the keywords are similar to some word."""
    assert holds(keyword("AND", "urgent", "refund", method="ngram"), "refnd is urgnt")
    assert not holds(keyword("AND", "urgent", "refund", method="ngram"), "refnd")
    assert holds(keyword("NOR", "urgent", method="ngram"), "hello")
    assert not holds(keyword("OR", "Urgent", method="ngram", case_sensitive=True, ngram_threshold=1.0), "urgent")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("an urgent matter", True),
        ("an urgnet matter", True),
        ("UrgXXt", True),
        ("urgXXXt", False),
        ("unurgently", False),
    ],
)
def test_fuzzy_keywords_allow_two_edits(text, expected):
    """Insertions, deletions and substitutions of one word, at most two by default."""
    assert holds(keyword("OR", "urgent", fuzzy_match=True), text) is expected


def test_fuzzy_matching_is_added_to_patterns_and_operators():
    """A pattern is also compared as it is written."""
    assert holds(
        keyword("AND", "u[a-z]+t", "refund", fuzzy_match=True, fuzzy_threshold=1, method="regex"), "ut refun uxt"
    )
    assert not holds(keyword("NOR", "refund", fuzzy_match=True), "refnd")
    assert holds(keyword("NOR", "refund", fuzzy_match=False), "refnd")


def edits(one: str, other: str) -> int:
    """The edit distance by its definition."""
    row = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        above, row[0] = row[0], i
        for j, letter in enumerate(other, 1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (char != letter))
    return row[-1]


@given(WORDS, WORDS)
def test_edit_distances_are_exact(one, other):
    """The bit-parallel form gives what the table gives."""
    (found,) = with_typing_errors(compile_words(["x"], case_sensitive=False), [one], 2).keywords
    assert found.distance(other) == edits(one, other)


METHODS = [{"method": "bm25"}, {"method": "ngram"}, {"fuzzy_match": True}]


@pytest.mark.parametrize("method", METHODS)
def test_hostile_texts_are_bounded_by_steps_and_by_the_deadline(method):
    """Many distinct words are not compared for ever."""
    signal = keyword("OR", "urgent", "refund", **method)
    text = (
        " ".join(f"urg{number:x}" for number in range(20_000))
        if "method" in method
        else "urgabc " * 2 + " ".join(f"urg{number:03}" for number in range(1000))
    )
    with pytest.raises(BudgetExceededError):
        signal.holds(RequestView(text), Budget(100_000, never))
    with pytest.raises(DeadlineExceededError):
        signal.holds(RequestView(text), lambda: True)
