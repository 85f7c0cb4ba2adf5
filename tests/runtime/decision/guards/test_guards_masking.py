from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.finders import merge, personal, spans
from vsr_runtime.decision.guards.masking import (
    PlaceholderMap,
    TooManyPlaceholdersError,
    Unmasker,
    mask_text,
    placeholder,
)

LETTERS = st.text("ab[]_1 EMAIL_ADDRESS\u00e9\u6f22")
"""Texts that come near to placeholders."""
WEIRD = st.one_of(st.text(), LETTERS, st.sampled_from(["[EMAIL_ADDRESS_1]", "[[EMAIL_ADDRESS_1]]", "[URL_2] [URL_1]"]))


@st.composite
def masked_texts(draw) -> tuple[str, list[TextSpan]]:
    """A text and some spans in it."""
    text = "".join(draw(st.lists(WEIRD, max_size=6)))
    places = st.integers(0, len(text))
    found = [TextSpan(*sorted(pair), draw(st.sampled_from(["URL", "EMAIL_ADDRESS"])), 1.0, "r") for pair in draw(st.lists(st.tuples(places, places), max_size=5))]  # fmt: skip  # noqa: E501
    return text, merge(span for span in found if span.start < span.end)


def unmasked(text: str, cuts: list[int], book: PlaceholderMap) -> str:
    """A text put back together from pieces that end where the cuts say."""
    unmasker = Unmasker(book)
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [unmasker.feed(text[start:end]) for start, end in pairwise(edges)]
    return "".join(parts) + unmasker.end()


@given(st.lists(masked_texts(), max_size=3), st.lists(st.integers(0, 200)))
def test_masking_and_unmasking_gives_the_text_back_whatever_the_pieces(texts, cuts: list[int]) -> None:
    """Also where texts hold placeholders of their own, and with one book for all texts of a request."""
    book = PlaceholderMap()
    for text, _ in texts:
        book.reserve(text)
    for text, found in texts:
        assert unmasked(mask_text(text, found, book), cuts, book) == text


@given(masked_texts())
def test_text_outside_of_spans_is_unchanged(given_text) -> None:
    """The masked text is the original with each span replaced by one placeholder."""
    text, found = given_text
    book = PlaceholderMap()
    masked, at = mask_text(text, found, book), 0
    last = 0
    for span in found:
        assert masked.startswith(text[last : span.start], at)
        at += span.start - last
        given_placeholder = book.assign(span.type, text[span.start : span.end])
        assert masked.startswith(given_placeholder, at)
        at += len(given_placeholder)
        last = span.end
    assert masked[at:] == text[last:]


def test_the_same_value_has_the_same_placeholder_throughout_a_request() -> None:
    """So that the model can tell that two sentences speak of one person."""
    text = "From a@example.com to b@example.com, cc a@example.com"
    book = PlaceholderMap()
    masked = mask_text(text, spans([personal(["EMAIL_ADDRESS"])], text, never), book)
    assert masked == "From [EMAIL_ADDRESS_1] to [EMAIL_ADDRESS_2], cc [EMAIL_ADDRESS_1]"
    assert unmasked("Dear [EMAIL_ADDRESS_2]", [], book) == "Dear b@example.com"


def test_unassigned_placeholders_are_unchanged() -> None:
    """Placeholders that a model invents, or that the user wrote, have no value."""
    book = PlaceholderMap()
    text = "[URL_1] is https://example.com"
    assert mask_text(text, [TextSpan(11, 30, "URL", 1.0, "r")], book) == "[URL_1] is [URL_2]"
    assert unmasked("[URL_1] [URL_2] [URL_3]", [], book) == "[URL_1] https://example.com [URL_3]"


def test_only_possible_placeholders_are_held_back() -> None:
    """A stream goes on at once, and an open bracket costs a few characters of delay at most."""
    book = PlaceholderMap()
    book.assign("URL", "x")
    unmasker = Unmasker(book)
    assert unmasker.feed("list[0] and [UR") == "list[0] and "
    assert unmasker.feed("L_") == ""
    assert unmasker.feed("1] or [a") == "x or [a"
    assert unmasker.feed("[" * 10_000) == "[" * 9_999
    assert unmasker.feed("URL_URL_URL_URL_") == "[URL_URL_URL_URL_"
    assert unmasker.feed("[URL") == ""
    assert unmasker.end() == "[URL"


def test_placeholder_map_is_bounded() -> None:
    """More values than it takes are an error of the guard, and never sent on unmasked."""
    book = PlaceholderMap(max_values=2)
    assert [book.assign("URL", value) for value in "aba"] == ["[URL_1]", "[URL_2]", "[URL_1]"]
    with pytest.raises(TooManyPlaceholdersError):
        book.assign("URL", "c")


def test_a_placeholder_is_its_type_and_number() -> None:
    """As docs/reference/guards.md says."""
    assert placeholder("US_SSN", 3) == "[US_SSN_3]"
