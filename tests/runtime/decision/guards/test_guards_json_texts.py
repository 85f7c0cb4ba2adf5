"""Texts of JSON documents: completeness, positions, and masking that changes nothing else."""

from __future__ import annotations

import json
import re
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vsr_runtime.decision.deadline import DeadlineExceededError, never
from vsr_runtime.decision.guards.api_words import VALUES
from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.guards.guard_input import GuardInput
from vsr_runtime.decision.guards.json_texts import TextPosition, json_texts, offsets
from vsr_runtime.decision.guards.masking import PlaceholderMap, mask_document
from vsr_runtime.decision.request.response_document import restore_values

WORD = "hide me"
"""What is looked for."""


def find(normalised, _):
    """The finder of it."""
    return [TextSpan(*normalised.original(*m.span()), "X", 1.0, "t") for m in re.finditer(WORD, normalised.text)]


GUARD = Guard("g", "mask", (find,))
TEXTS = st.one_of(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.lists(st.sampled_from([WORD, " ", "é", "😀", '"', "\\", "\n", "[X_1]", "{"]), max_size=6).map("".join),
)
DOCUMENTS = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)


def hidden(document, ours):
    """The document with something in the place of what is looked for, done on values instead of on text."""
    if isinstance(document, str):
        return document.replace(WORD, ours)
    if isinstance(document, list):
        return [hidden(item, ours) for item in document]
    if isinstance(document, dict):
        return {hidden(key, ours): hidden(value, ours) for key, value in document.items()}
    return document


@settings(deadline=None)
@given(DOCUMENTS, st.booleans(), st.sampled_from([None, 2]))
def test_masking_changes_findings_and_nothing_else(document, ascii_only, indent):
    """As if it had been done on the values; undone, every byte is as it was."""
    text = json.dumps({"input": "a", "x": document}, ensure_ascii=ascii_only, indent=indent)
    values = json.loads(text)
    book = PlaceholderMap()
    matter = GuardInput(text, values)
    after = mask_document(text, matter, matter.matches(GUARD, never), book)
    given_ = next(iter(book.values), WORD)
    assert json.loads(after) == hidden(values, given_)
    assert after.replace(given_, WORD) == text


def lines_run(work) -> int:
    """How many lines of Python some work runs."""
    count = 0

    def look(_frame, event, _):
        nonlocal count
        count += event == "line"
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


MANY = {
    "parts": lambda number: {"content": [{"type": "text", "text": f"{WORD} "}] * number},
    "escapes": lambda number: {"content": "\n" + f"{WORD} " * number},
    "texts in a text": lambda number: {"content": json.dumps(["\n" + f"{WORD} " * number])},
    "texts": lambda number: {"content": [f"{WORD} {i}" for i in range(number)]},
}


@pytest.mark.parametrize("what", MANY)
def test_twice_the_findings_take_twice_the_steps(what):
    """Else one request of a few thousand, which is short, holds up all others for seconds."""

    def steps(number):
        document = MANY[what](number)
        text = json.dumps(document)

        def work():
            matter = GuardInput(text, document)
            mask_document(text, matter, matter.matches(GUARD, never), PlaceholderMap())

        return lines_run(work)

    assert steps(400) <= 2 * steps(200) + 500


def test_quotes_that_never_end_are_followed_to_the_end_once():
    """Whatever their number: hours for a body of some megabytes, if each were followed."""
    for opened in ('"\\', '"\\x'):
        text = opened * 100_000
        first, *_ = json_texts(json.dumps({"input": text}))
        assert first.value == text
    inner = [leaf.value for leaf in json_texts(json.dumps({"input": 'a "b\\n c\\'})) if leaf.within is not None]
    assert inner == ["b\n c"]


def test_places_in_a_text_with_escapes_are_found_once_for_all_its_findings(monkeypatch):
    """They take as long as the text is long."""
    calls = []
    monkeypatch.setattr("vsr_runtime.decision.guards.json_texts.offsets", lambda raw: calls.append(raw) or offsets(raw))
    document = {"a": "\n" + f"{WORD} " * 100, "b": json.dumps(["\n" + f"{WORD} " * 100])}
    matter = GuardInput(json.dumps(document), document)
    mask_document(json.dumps(document), matter, matter.matches(GUARD, never), PlaceholderMap())
    assert len(calls) <= 4


def test_number_of_masked_values_does_not_slow_down_events():
    """A stream has thousands of events, and a request may have thousands of placeholders."""
    document = json.dumps({"choices": [{"delta": {"content": "no [placeholder] [X_0] here"}}]})
    few, many = ({f"[X_{i}]": "a" for i in range(1, number)} for number in (10, 1000))
    assert lines_run(lambda: restore_values(document, many)) == lines_run(lambda: restore_values(document, few))


@settings(deadline=None)
@given(DOCUMENTS)
def test_restoring_undoes_a_mask(document):
    """With the escapes that a value needs in JSON."""
    text = json.dumps(document)
    kept = 'a "quoted"\n\\ value'
    after = restore_values(text, {"[X_1]": kept})

    def back(node, *, key=False):
        if isinstance(node, str):
            return node if key else node.replace("[X_1]", kept)
        if isinstance(node, list):
            return [back(item) for item in node]
        if isinstance(node, dict):
            return {back(name, key=True): back(value) for name, value in node.items()}
        return node

    if "[X_1]" not in "".join(_keys(document)):
        assert json.loads(after) == back(json.loads(text))


def _keys(node):
    if isinstance(node, dict):
        yield from node
        for value in node.values():
            yield from _keys(value)
    elif isinstance(node, list):
        for item in node:
            yield from _keys(item)


@settings(deadline=None)
@given(DOCUMENTS, st.booleans())
def test_every_character_has_its_place(document, ascii_only):
    """The raw form from the first place to the last says the value."""
    text = json.dumps(document, ensure_ascii=ascii_only)
    for leaf in json_texts(text):
        if leaf.quoted and leaf.within is None:
            placed = TextPosition(leaf)
            assert json.loads(f'"{text[placed.at(0) : placed.at(len(leaf.value))]}"') == leaf.value


@settings(deadline=None)
@given(DOCUMENTS)
def test_no_text_is_left_out(document):
    """Of values and keys, but for the APIs' own words and nothing at all."""
    found = {leaf.value for leaf in json_texts(json.dumps({"content": document}))}

    def texts(node):
        if isinstance(node, str):
            yield node
        elif isinstance(node, list):
            for item in node:
                yield from texts(item)
        elif isinstance(node, dict):
            yield from node
            for value in node.values():
                yield from texts(value)

    assert {text for text in texts(document) if text} - VALUES <= found


def test_deadline_is_checked_while_a_large_document_is_read():
    """A body of maxBody that is nothing but tokens cannot hold a thread beyond its time."""
    text = "[" + ",".join(["0"] * (2 << 20)) + "]"
    calls = []

    def expired():
        calls.append(None)
        return len(calls) > 10

    with pytest.raises(DeadlineExceededError):
        list(json_texts(text, expired))
    assert len(calls) == 11


def test_repeated_texts_are_read_once():
    """Ten thousand times the same text costs one look."""
    looked = []

    def look(normalised, _):
        looked.append(normalised.text)
        return []

    text = json.dumps({"a": ["same"] * 10_000})
    matter = GuardInput(text, json.loads(text))
    assert matter.matches(Guard("g", "mask", (look,)), never) == ()
    assert sorted(looked) == ["a", "same"]
