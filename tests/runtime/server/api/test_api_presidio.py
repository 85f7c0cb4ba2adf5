"""Presidio's contract: what its clients, such as LiteLLM's guardrail, send and expect."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.played_api import Engine, ask
from vsr_runtime.decision.guards.finders import personal
from vsr_runtime.decision.guards.guard import Guard

ANALYZE, ANONYMIZE = "/analyze", "/anonymize"
TEXT = "\U0001f600 Ada wrote from ada@b.example"
MAIL = {"entity_type": "EMAIL_ADDRESS", "start": 17, "end": 30, "score": 0.9, "analysis_explanation": None}


def analysed(settings, body, status=200, **more):
    """An answer of the analyzer."""
    found, answer, _ = ask(settings, ANALYZE, {"text": TEXT, "language": "en"} | body, **more)
    assert found == status, answer
    return answer


def test_findings_are_a_list_with_places_in_code_points(settings):
    """As Presidio answers; a batch is a list of lists."""
    assert analysed(settings, {}, classifiers={}) == [MAIL]
    assert analysed(settings, {"text": [TEXT, "nothing"]}, classifiers={}) == [[MAIL], []]
    assert TEXT[17:30] == "ada@b.example"


def test_models_of_the_policy_find_what_patterns_cannot(settings):
    """A guard that fails would let names pass, so a failed model is an error."""
    names = [one["entity_type"] for one in analysed(settings, {"entities": ["PERSON", "EMAIL_ADDRESS"]})]
    assert names == ["PERSON", "EMAIL_ADDRESS"]
    analysed(settings, {"entities": ["PERSON"]}, 503, engine=Engine(RuntimeError("broken")))


def test_types_are_those_of_the_guards_unless_the_client_names_some(settings):
    """What the policy protects is what is reported."""
    guard = Guard("phones", "mask", (personal(["PHONE_NUMBER"]),), types=frozenset({"PHONE_NUMBER"}))
    own = replace(settings, program=replace(settings.program, guards=(guard,)))
    assert analysed(own, {}, classifiers={}) == []
    assert analysed(own, {"entities": ["EMAIL_ADDRESS"]}, classifiers={}) == [MAIL]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"entities": ["LOCATION"]}, 404),
        ({"entities": ["SHOE_SIZE"]}, 404),
        ({"ad_hoc_recognizers": [{"name": "x"}]}, 422),
        ({"allow_list": ["a"], "allow_list_match": "regex"}, 422),
        ({"text": ""}, 422),
        ({"score_threshold": 2}, 422),
    ],
)
def test_what_is_not_searched_for_is_an_error_and_no_clean_text(settings, body, status):
    """LiteLLM blocks on any status from 400."""
    assert "error" in analysed(settings, body, status, classifiers={})


def test_thresholds_and_allowed_texts_leave_findings_out(settings):
    """By score, and by exact text."""
    assert analysed(settings, {"score_threshold": 0.95}, classifiers={}) == []
    assert analysed(settings, {"allow_list": ["ada@b.example"]}, classifiers={}) == []


def test_findings_of_the_analyzer_can_be_anonymized(settings):
    """LiteLLM sends them back with the text; places in the answer are those of the new text."""
    findings = analysed(settings, {}, classifiers={})
    status, answer, _ = ask(settings, ANONYMIZE, {"text": TEXT, "analyzer_results": findings}, classifiers={})
    assert status == 200
    assert answer["text"] == "\U0001f600 Ada wrote from <EMAIL_ADDRESS>"
    item = {"start": 17, "end": 32, "entity_type": "EMAIL_ADDRESS", "text": "<EMAIL_ADDRESS>", "operator": "replace"}
    assert answer["items"] == [item]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"analyzer_results": [MAIL | {"end": 1000}]}, 404),
        ({"analyzer_results": [MAIL | {"start": 30}]}, 404),
        ({"analyzer_results": [MAIL], "anonymizers": {"DEFAULT": {"type": "encrypt"}}}, 422),
    ],
)
def test_text_that_cannot_be_anonymized_is_an_error(settings, body, expected):
    """A place outside the text, or an operator that is not supported."""
    status, answer, _ = ask(settings, ANONYMIZE, {"text": TEXT} | body, classifiers={})
    assert status == expected
    assert "error" in answer
