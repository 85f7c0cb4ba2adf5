from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runtime.guards.bio import Token, decode
from runtime.guards.text import Span
from runtime.guards.windows import joined, strongest, windows


def labelled(text: str, *labels: str) -> list[Token]:
    """The words of a text with a label each, all of probability 0.8."""
    tokens, at = [], 0
    for word, label in zip(text.split(), labels, strict=True):
        at = text.index(word, at)
        tokens.append(Token(at, at + len(word), label, 0.8))
        at += len(word)
    return tokens


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("O B-PER I-PER O B-ORG", [("John Smith", "PER"), ("Acme", "ORG")]),
        ("O B-PER E-PER O S-ORG", [("John Smith", "PER"), ("Acme", "ORG")]),
        ("O B-PER L-PER O U-ORG", [("John Smith", "PER"), ("Acme", "ORG")]),
        ("O PER PER O ORG", [("John Smith", "PER"), ("Acme", "ORG")]),
        ("O I-PER I-PER O I-ORG", [("John Smith", "PER"), ("Acme", "ORG")]),
        ("O B-PER B-PER O O", [("John", "PER"), ("Smith", "PER")]),
        ("O S-PER I-PER O O", [("John", "PER"), ("Smith", "PER")]),
        ("O B-PER I-ORG O O", [("John", "PER"), ("Smith", "ORG")]),
        ("O O O O O", []),
    ],
)
def test_every_common_scheme_gives_the_same_spans(labels: str, expected: list[tuple[str, str]]) -> None:
    """BIO, BIOES, BILOU, labels without a scheme, and models that break the scheme's rules."""
    text = "Tell John Smith of Acme"
    spans = decode(labelled(text, *labels.split()), "model")
    assert [(text[span.start : span.end], span.type) for span in spans] == expected


def test_special_tokens_are_passed_over_and_types_get_our_names() -> None:
    """[CLS] and [SEP] have no characters; a model's PER is our PERSON."""
    tokens = [Token(0, 0, "B-PER", 1.0), Token(0, 4, "B-PER", 0.6), Token(4, 4, "O", 1.0), Token(4, 9, "I-PER", 1.0)]
    assert decode(tokens, "model", {"PER": "PERSON"}) == [Span(0, 9, "PERSON", 0.8, "model")]


@given(st.lists(st.tuples(st.sampled_from(["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B"]), st.floats(0, 1))))
def test_each_labelled_token_lies_in_exactly_one_span(labels) -> None:
    """Whatever a model says, nothing that it labelled is lost and nothing else is covered."""
    tokens = [Token(2 * number, 2 * number + 2, label, score) for number, (label, score) in enumerate(labels)]
    spans = decode(tokens, "model")
    covered = [place for span in spans for place in range(span.start, span.end, 2)]
    assert covered == [token.start for token in tokens if token.label != "O"]
    assert all(0 <= span.score <= 1 for span in spans)


@given(st.integers(0, 500), st.integers(1, 60), st.data())
def test_windows_cover_all_tokens_and_overlap(length: int, size: int, data) -> None:
    """Whatever is no longer than the overlap lies whole in a window, and none is longer than the model reads."""
    overlap = data.draw(st.integers(0, size - 1))
    ranges = windows(length, size, overlap)
    assert {place for start, end in ranges for place in range(start, end)} == set(range(length))
    assert all(0 < end - start <= size for start, end in ranges)
    for first in range(max(length - overlap, 0) if overlap else 0):
        assert any(start <= first and first + overlap <= end for start, end in ranges)


def test_windows_that_never_advance_are_refused() -> None:
    """Before they take forever."""
    with pytest.raises(ValueError, match="overlap"):
        windows(10, 4, 4)


def test_an_attack_among_harmless_windows_counts_in_full() -> None:
    """The highest score, not the mean."""
    assert strongest([0.01] * 99 + [0.97]) == 0.97
    assert strongest([]) == 0


def test_what_two_windows_saw_is_told_once() -> None:
    """The union of both, with the higher score; other types and places stay as they are."""
    first = [Span(0, 5, "PERSON", 0.9, "m"), Span(18, 20, "PERSON", 0.5, "m")]
    second = [Span(18, 26, "PERSON", 0.8, "m"), Span(19, 30, "GPE", 0.7, "m"), Span(40, 44, "PERSON", 0.6, "m")]
    assert joined([first, second]) == [
        Span(0, 5, "PERSON", 0.9, "m"),
        Span(18, 26, "PERSON", 0.8, "m"),
        Span(19, 30, "GPE", 0.7, "m"),
        Span(40, 44, "PERSON", 0.6, "m"),
    ]
