from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.guards.detection import LabelledToken, TextSpan, spans_of_tokens


def labelled(text: str, *labels: str) -> list[LabelledToken]:
    """The words of a text with a label each, all of probability 0.8."""
    tokens, at = [], 0
    for word, label in zip(text.split(), labels, strict=True):
        at = text.index(word, at)
        tokens.append(LabelledToken(at, at + len(word), label, 0.8))
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
    spans = spans_of_tokens(labelled(text, *labels.split()), "model")
    assert [(text[span.start : span.end], span.type) for span in spans] == expected


def test_special_tokens_are_passed_over_and_types_get_our_names() -> None:
    """[CLS] and [SEP] have no characters; a model's PER is our PERSON."""
    tokens = [
        LabelledToken(0, 0, "B-PER", 1.0),
        LabelledToken(0, 4, "B-PER", 0.6),
        LabelledToken(4, 4, "O", 1.0),
        LabelledToken(4, 9, "I-PER", 1.0),
    ]
    assert spans_of_tokens(tokens, "model", {"PER": "PERSON"}) == [TextSpan(0, 9, "PERSON", 1.0, "model")]


def test_parts_of_a_word_stay_together_whatever_place_they_have() -> None:
    """A new span of the same type within a word is part of the word; one of another type is not."""
    parts = [
        LabelledToken(0, 2, "B-PER", 0.4),
        LabelledToken(2, 5, "B-PER", 0.9),
        LabelledToken(5, 7, "S-PER", 0.3),
        LabelledToken(7, 9, "B-ORG", 0.5),
    ]
    assert spans_of_tokens(parts, "model") == [TextSpan(0, 7, "PER", 0.9, "model"), TextSpan(7, 9, "ORG", 0.5, "model")]


def test_a_doubtful_neighbour_does_not_hide_a_sure_finding() -> None:
    """The span counts as much as its surest token."""
    assert (
        spans_of_tokens([LabelledToken(0, 4, "B-PER", 0.95), LabelledToken(5, 9, "I-PER", 0.3)], "model")[0].score
        == 0.95
    )


@given(st.lists(st.tuples(st.sampled_from(["O", "B-A", "I-A", "E-A", "S-A", "B-B", "I-B"]), st.floats(0, 1))))
def test_each_labelled_token_lies_in_exactly_one_span(labels) -> None:
    """Whatever a model says, nothing that it labelled is lost and nothing else is covered."""
    tokens = [LabelledToken(2 * number, 2 * number + 2, label, score) for number, (label, score) in enumerate(labels)]
    spans = spans_of_tokens(tokens, "model")
    covered = [place for span in spans for place in range(span.start, span.end, 2)]
    assert covered == [token.start for token in tokens if token.label != "O"]
    assert all(0 <= span.score <= 1 for span in spans)
