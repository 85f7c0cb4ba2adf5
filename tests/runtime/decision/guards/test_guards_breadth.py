# ruff: noqa: E501 - samples, several a line
"""Dates, addresses, and technical texts that are no personal data."""

from __future__ import annotations

import json
import random

import pytest

from support.personal_samples import MAKERS
from support.technical_texts import KINDS, texts
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.finders import personal, spans
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.guard_input import GuardInput
from vsr_runtime.decision.guards.rules.technical import is_technical_name
from vsr_schemas.pii import PATTERN_TYPES

TYPES = sorted({*PATTERN_TYPES, "POSTAL_ADDRESS", "TAX_ID"})
MOST = {"CREDIT_CARD": 0.025, "DATE_TIME": 0.03, "PHONE_NUMBER": 0.06}
"""False alarms that are permitted in one kind of texts, if more than 1 %: long numbers, dotted versions, "call" and "cell"."""


def found(kind: str, text: str) -> list[str]:
    """What is found of one type."""
    return [text[span.start : span.end] for span in spans([personal([kind])], text, never)]


@pytest.mark.parametrize("kind", MAKERS)
def test_samples_that_rules_make_are_found(kind):
    """At least 99 of 100, and nine of ten whole."""
    chance = random.Random(5)  # noqa: S311 - the same samples in every run
    samples = [MAKERS[kind](chance) for _ in range(100)]
    values = [(found(kind, text), value) for text, value in samples]
    assert sum(bool(results) for results, _ in values) >= 99
    assert sum(any(value in result for result in results) for results, value in values) >= 90


@pytest.mark.parametrize("technical", KINDS)
def test_technical_texts_have_hardly_any_personal_data(technical):
    """Code, logs, manifests and chat about them: hashes, versions, quantities, counters, times of logs."""
    finders = {kind: personal([kind]) for kind in TYPES}
    made = list(texts(technical, 200, seed=3))
    for kind, finder in finders.items():
        wrong = [text for text in made if spans([finder], text, never)]
        assert len(wrong) <= MOST.get(kind, 0.01) * len(made), (kind, wrong[:3])


@pytest.mark.parametrize(
    "text",
    [
        "6 AM", "at 6am.", "1 o'clock", "at 1 o\u2019clock", "one o'clock", "half past six", "14.30 Uhr", "um 9 Uhr", "14h30",
        "3. März 2026", "1er mars 2026", "3 de marzo de 2026", "3 marzo 2026", "12 décembre 2025", "2026年12月2日", "June 2026",
        "5:30 p.m.", "at noon", "31.12.2025", "2026-12-02T18:29:33+01:00", "born 1974-12-25T14:35:45Z",
    ],
)  # fmt: skip
def test_times_and_dates_of_several_languages_are_found(text):
    """If the policy lists DATE_TIME."""
    assert found("DATE_TIME", text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-12-02T18:29:33.123Z INFO started", "[2026-12-02 18:29:33,123] ERROR x", "I1202 18:29:33.123456 1 x.go:1] synced",
        "x[8:43] and x[6:47]", "image:14.6.23-rc1", "upgraded from 27.10.28 to 28.1.3", "25.31.40", "ratio 12:345",
    ],
)  # fmt: skip
def test_times_of_logs_and_versions_are_no_dates(text):
    """A line of a log begins with its time and has a level; a version follows a word or ends in a suffix."""
    assert found("DATE_TIME", text) == []


@pytest.mark.parametrize(
    "text",
    [
        "In 2020 Wall Street rallied", "3 Supreme Court decisions", "10 Google Drive files", "Via Envoy 2 gateways", "String 10",
        "Ring 0 and Platz 9", "Step 3, 10000 Iterations", "Pod 3 10250 Running", "3 route handlers", "于2024年在北京市召开的第3次会议",
        "step 4: open Settings Square 2", "12 cours de maths",
    ],
)  # fmt: skip
def test_words_of_streets_in_other_text_are_no_address(text):
    """They need a postal code or a word such as "address" if they mean other things as well."""
    assert found("POSTAL_ADDRESS", text) == []


def test_an_address_is_found_to_its_postal_code():
    """So that a mask leaves no town."""
    assert found("POSTAL_ADDRESS", "to 350 Fifth Avenue, Apt 21B, New York, NY 10118, please") == [
        "350 Fifth Avenue, Apt 21B, New York, NY 10118"
    ]
    assert found("POSTAL_ADDRESS", "I live at 12 maple drive now") == ["12 maple drive"]
    assert found("STREET_ADDRESS", "12 Elm Street, Springfield, IL 62704") == []


@pytest.mark.parametrize(
    "name", ["S3", "EKS", "v1.29.3", "sha256:" + "ab" * 32, "2Gi", "500m", "Kubernetes", "i-0abc1234def567890"]
)
def test_technical_names_are_no_finding_of_a_model(name):
    """Models take products for organisations; a person's name is still one beside them."""

    class Tagger:
        def spans(self, types, threshold):
            del types, threshold
            start = text.index(name)
            return [
                TextSpan(start, start + len(name), "ORGANIZATION", 0.99, "model"),
                TextSpan(text.index("Ellis"), text.index("Ellis") + 5, "PERSON", 0.99, "model"),
            ]

    text = f"We moved {name} for Ellis"
    document = {"model": "m", "messages": [{"role": "user", "content": text}]}
    guard_input = GuardInput(json.dumps(document), document)
    guard = Guard("g", "mask", detector="d")
    matches = guard_input.matches(guard, never, {"d": [Tagger() for _ in guard_input.texts]})
    assert {match.span.type for match in matches} == {"PERSON"}
    assert is_technical_name(name)
    assert not is_technical_name(f"{name} Ellis Smith")


def test_numbers_with_a_technical_name_need_more_than_a_word_nearby():
    """A valid card number counts whatever is before it."""
    assert found("PHONE_NUMBER", "call the API with id 5935322578") == []
    assert found("PHONE_NUMBER", "call me: 5935322578") == ["5935322578"]
    assert found("CREDIT_CARD", "id=4111111111111111") == ["4111111111111111"]
    assert found("CREDIT_CARD", "commit 2a3dbf01122e8ddd9cad1ab559ead605220271791850e070a612") == []
    assert found("CREDIT_CARD", "loss 4.630942405465") == []
    assert found("NATIONAL_ID", "South African ID: 8001015009087") == ["8001015009087"]
