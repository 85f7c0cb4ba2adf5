"""From probabilities of tokens to findings: what counts, and where it stands."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.inference.token_spans import TokenDetection, scheme
from vsr_schemas.pii import ALL_TYPES, type_of

LABELS = ("O", "B-PERSON", "I-PERSON", "B-LOC", "I-LOC")


def labelled(text: str, rows: list[list[float]], labels: tuple[str, ...] = LABELS) -> TokenDetection:
    """The words of a text with the probabilities of each."""
    offsets, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        offsets.append((at, at + len(word)))
        at += len(word)
    return TokenDetection(text, "model", labels, offsets, np.array(rows, dtype=np.float32).reshape(-1, len(labels)))


NONE = [1.0, 0, 0, 0, 0]


def described(found: list[TextSpan], text: str) -> list[tuple[str, str, float]]:
    """Findings as words."""
    return [(text[span.start : span.end], span.type, round(span.score, 3)) for span in found]


def test_labels_of_one_type_count_together() -> None:
    """0.3 for the beginning of a person and 0.4 for the middle of one are 0.7 for a person, though O leads each."""
    text = "tell Smith now"
    seen = labelled(text, [NONE, [0.3, 0.3, 0.4, 0, 0], NONE])
    assert described(seen.spans(None, 0.7 - 1e-6), text) == [("Smith", "PERSON", 0.7)]
    assert seen.spans(None, 0.71) == []


def test_the_whole_of_a_finding_is_found() -> None:
    """The doubtful half of a name goes with the sure one; what is likelier to be nothing does not."""
    text = "ask John Smith please"
    seen = labelled(text, [NONE, [0.05, 0.95, 0, 0, 0], [0.4, 0, 0.6, 0, 0], [0.6, 0, 0.4, 0, 0]])
    assert described(seen.spans(None, 0.9), text) == [("John Smith", "PERSON", 0.95)]
    assert described(seen.spans(None, 0.3), text) == [("John Smith please", "PERSON", 0.95)]


def test_only_the_types_asked_for_are_found_under_our_names() -> None:
    """A model's LOC is our GPE."""
    text = "Jane in Paris"
    seen = labelled(text, [[0, 1, 0, 0, 0], NONE, [0, 0, 0, 1, 0]])
    assert described(seen.spans(frozenset({"GPE"}), 0.5), text) == [("Paris", "GPE", 1.0)]
    assert described(seen.spans(None, 0.5), text) == [("Jane", "PERSON", 1.0), ("Paris", "GPE", 1.0)]
    assert seen.spans(frozenset({"EMAIL_ADDRESS"}), 0.5) == []


def test_two_persons_are_two_findings_and_blanks_of_tokens_are_none_of_theirs() -> None:
    """Some tokenizers count the blank before a word to it; a mask must not swallow it."""
    text = "Ann Bob"
    seen = TokenDetection(text, "model", LABELS, [(0, 3), (3, 7)], np.array([[0, 1, 0, 0, 0]] * 2, dtype=np.float32))
    assert described(seen.spans(None, 0.5), text) == [("Ann", "PERSON", 1.0), ("Bob", "PERSON", 1.0)]


def test_labels_without_a_scheme_and_other_schemes_are_understood() -> None:
    """Plain labels, and BIOES."""
    text = "Ann Lee left"
    plain = labelled(text, [[0, 1], [0, 1], [1, 0]], ("O", "PER"))
    assert described(plain.spans(None, 0.5), text) == [("Ann Lee", "PERSON", 1.0)]
    bioes = labelled(text, [[0, 1, 0], [0, 0, 1], [1, 0, 0]], ("O", "B-PER", "E-PER"))
    assert described(bioes.spans(None, 0.5), text) == [("Ann Lee", "PERSON", 1.0)]


def test_a_text_without_tokens_has_no_findings() -> None:
    """Empty, or all of it invisible."""
    assert labelled("", []).spans(None, 0.0) == []


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("PERSON", "PERSON"),
        ("per", "PERSON"),
        ("GIVENNAME", "PERSON"),
        ("ORG", "ORGANIZATION"),
        ("LOC", "GPE"),
        ("NORP", "NRP"),
        ("ADDRESS", "STREET_ADDRESS"),
        ("email", "EMAIL_ADDRESS"),
        ("US-SSN", "US_SSN"),
        ("MISC", "MISC"),
    ],
)
def test_names_of_types_become_ours(name: str, ours: str) -> None:
    """Whatever data a checkpoint was trained on; a name that we do not know stays its own."""
    assert type_of(name) == ours


def test_every_label_of_the_stock_router_s_checkpoint_is_a_type_of_ours() -> None:
    """Seventeen types, each with a beginning and a middle."""
    names = [
        "AGE",
        "CREDIT_CARD",
        "DATE_TIME",
        "DOMAIN_NAME",
        "EMAIL_ADDRESS",
        "GPE",
        "IBAN_CODE",
        "IP_ADDRESS",
        "NRP",
        "ORGANIZATION",
        "PERSON",
        "PHONE_NUMBER",
        "STREET_ADDRESS",
        "TITLE",
        "US_DRIVER_LICENSE",
        "US_SSN",
        "ZIP_CODE",
    ]
    labels = ("O", *(f"{place}-{name}" for name in names for place in "BI"))
    assert set(scheme(labels).types) == set(names)
    assert set(names) <= ALL_TYPES


ROWS = st.lists(st.lists(st.integers(0, 20), min_size=5, max_size=5).filter(any), max_size=12)


@given(ROWS, st.floats(0.05, 1), st.sampled_from([None, frozenset({"PERSON"}), frozenset({"GPE"})]))
def test_whatever_is_likely_enough_is_found_and_nothing_without_a_reason(rows, threshold, types) -> None:
    """Every token that reaches the threshold lies in a finding, and every finding has such a token.

    No token lies in one of which another type, or none, is likelier, unless it reaches the threshold.
    """
    shares = [[weight / sum(row) for weight in row] for row in rows]
    text = " ".join(f"w{number}" for number in range(len(rows)))
    seen = labelled(text, shares)
    found = seen.spans(types, threshold)
    words = [(text.index(f"w{number}"), text.index(f"w{number}") + len(f"w{number}")) for number in range(len(rows))]
    kinds = {"PERSON": (1, 2), "GPE": (3, 4)}
    for kind, (first, second) in kinds.items():
        own = [span for span in found if span.type == kind]
        if types is not None and kind not in types:
            assert own == []
            continue
        for (start, end), row in zip(words, np.array(shares, dtype=np.float32), strict=True):
            share, covered = row[first] + row[second], any(span.start <= start < end <= span.end for span in own)
            rest = max(row[0], *(row[a] + row[b] for name, (a, b) in kinds.items() if name != kind))
            if share > threshold + 1e-6:
                assert covered
            if covered:
                assert share >= min(threshold, rest) - 1e-6
        assert all(span.score >= threshold for span in own)
        assert all(text[span.start : span.end].strip() == text[span.start : span.end] for span in own)
