# ruff: noqa: RUF001 - such letters are what is tested
from __future__ import annotations

import pytest

from vsr_runtime.decision.deadline import DeadlineExceededError, never
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.finders import credentials, injection, patterns, personal, spans
from vsr_schemas.pii import ALL_TYPES, PATTERN_TYPES

PERSONAL = personal(PATTERN_TYPES)


def found(text: str) -> list[tuple[str, str]]:
    """Types and texts of the personal data in a text."""
    return [(span.type, text[span.start : span.end]) for span in spans([PERSONAL], text, never)]


def test_offsets_are_the_originals_also_where_normalisation_moved_things() -> None:
    """A zero-width space before and within an address, and full-width letters, do not move the span."""
    text = "\u200bＷrite to jo\u200bhn@exａmple.com now"
    assert found(text) == [("EMAIL_ADDRESS", "jo\u200bhn@exａmple.com")]


def test_types_that_need_a_model_are_passed_over() -> None:
    """A guard may list both kinds; its model finds the others."""
    assert spans([personal(ALL_TYPES - PATTERN_TYPES)], "John Smith, john@example.com", never) == []


def test_only_requested_types_are_found() -> None:
    """An address is none of the policy's business where it asks for phone numbers."""
    finder = personal(["PHONE_NUMBER"])
    assert [span.type for span in spans([finder], "john@example.com or 555-123-4567", never)] == ["PHONE_NUMBER"]


def test_overlapping_findings_become_one_that_covers_all() -> None:
    """The domain and the address of a URL lie within it; what a policy's pattern adds beyond is covered too."""
    text = "see https://user@example.com/x-ray"
    got = spans([PERSONAL, patterns(["see https"])], text, never)
    assert got == [TextSpan(0, len(text), "URL", 0.9, "url")]


def test_a_policys_patterns_are_found_in_normalised_text() -> None:
    """Case, zero-width characters and look-alikes do not hide a project's name."""
    text = "about Рroject\u00ad Falcon: ſecret"
    assert [text[s.start : s.end] for s in spans([patterns(["project falcon"])], text, never)] == [
        "Рroject\u00ad Falcon"
    ]


def test_patterns_give_characters_and_not_bytes() -> None:
    """Text before a match that takes several bytes a character does not move it."""
    text = "Grüße 漢字 👍 falcon, falcon"
    assert [(s.start, s.end) for s in spans([patterns(["falcon", "字"])], text, never)] == [(7, 8), (11, 17), (19, 25)]


@pytest.mark.parametrize("finder", [PERSONAL, credentials(), injection(), patterns(["a"])])
def test_a_finder_stops_when_the_time_is_up(finder) -> None:
    """The guard then does what its onError says."""
    with pytest.raises(DeadlineExceededError):
        spans([finder], "a 4111 1111 1111 1111", lambda: True)
