from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.request_bodies import BLANK, NO_SURROGATE, VALUES, members
from vsr_runtime.decision.program.effects import REMOVED
from vsr_runtime.decision.request.json_body import read_body
from vsr_runtime.decision.request.json_edits import BodyDraft

KEYS = st.sampled_from(["model", "n", "tools", "kwargs", "été"]) | NO_SURROGATE
EDITS = st.lists(
    st.tuples(st.just("set"), KEYS, VALUES)
    | st.tuples(st.just("remove"), KEYS, st.none())
    | st.tuples(st.just("update"), KEYS, st.dictionaries(KEYS, VALUES | st.just(REMOVED), max_size=3)),
    max_size=6,
)


@st.composite
def texts(draw):
    """An object as text, with blanks."""
    parts = draw(members(keys=KEYS))
    joined = ",".join(f"{draw(BLANK)}{key}{value}{draw(BLANK)}" for _, key, value in parts)
    return f"{draw(BLANK)}{{{draw(BLANK)}{joined}}}{draw(BLANK)}"


def apply(values: dict[str, object], edit: tuple[str, str, object]) -> None:
    """What an edit means, on plain values."""
    kind, key, value = edit
    if kind == "set":
        values[key] = value
    elif kind == "remove":
        values.pop(key, None)
    else:
        wanted = {name: each for name, each in value.items() if each is not REMOVED}
        if isinstance(values.get(key), dict):
            values[key] = {name: each for name, each in values[key].items() if name not in value} | wanted
        elif wanted:
            values[key] = wanted


def distinct(edits) -> list[tuple[str, str, object]]:
    """Edits without two updates of the same key."""
    seen: set[str] = set()
    return [edit for edit in edits if not (edit[1] in seen or seen.add(edit[1]))]


@given(text=texts(), edits=EDITS)
def test_edits_change_their_members_and_nothing_else(text, edits):
    """Members are set, removed and created; no key is duplicated; all other members keep their spelling."""
    body = read_body(text.encode())
    draft, expected = BodyDraft(body), dict(body.values)
    for edit in distinct(edits):
        kind, key, value = edit
        apply(expected, edit)
        draft.remove(key) if kind == "remove" else getattr(draft, kind)(key, value)
    result = draft.text()
    pairs = json.loads(result, object_pairs_hook=list)
    assert len({key for key, _ in pairs}) == len(pairs)
    # As texts, since to Python 1, 1.0 and True are equal.
    assert json.dumps(json.loads(result), sort_keys=True) == json.dumps(expected, sort_keys=True)
    touched = {key for _, key, _ in edits}
    for key, span in body.members.spans.items():
        if key not in touched:
            assert text[span.start : span.end] in result
    if not edits:
        assert result == text


def draft(text: str) -> BodyDraft:
    """The draft of a body."""
    return BodyDraft(read_body(text.encode()))


@pytest.mark.parametrize(
    ("text", "gone", "result"),
    [
        ('{"a":1}', "a", "{}"),
        ('{ "a" : 1 , "b":2}', "a", '{ "b":2}'),
        ('{"a":1 , "b":2 }', "b", '{"a":1 }'),
        ('{"a":1,"b":2,"c":3}', "b", '{"a":1,"c":3}'),
        ('{"a":1,"b":2,"c":3}', "ab", '{"c":3}'),
        ('{"a":1,"b":2,"c":3}', "bc", '{"a":1}'),
        ('{"a":1,"b":2,"c":3}', "ac", '{"b":2}'),
        ('{"a":1,"b":2,"c":3}', "abc", "{}"),
        ('{"a":1}', "x", '{"a":1}'),
    ],
)
def test_members_go_with_one_comma(text, gone, result):
    """Removing a member at any position leaves a valid object."""
    edited = draft(text)
    edited.remove(*gone)
    assert edited.text() == result


def test_later_edits_see_earlier_ones():
    """A removed or replaced value is no longer the client's; a value that is set again keeps its position."""
    edited = draft('{"a":{"x":1},"b":2}')
    assert edited.get("a") == {"x": 1}
    edited.remove("a")
    assert edited.get("a") is None
    edited.update("a", {"y": True, "z": REMOVED})
    edited.set("b", 3)
    assert edited.get("b") is None
    assert edited.text() == '{"a":{"y": true},"b":3}'


def test_nested_members_are_edited_in_place():
    """Only the members that are named change within a nested object."""
    edited = draft('{"k": { "keep" : 1.0 , "off":true, "on": false }}')
    edited.update("k", {"on": True, "off": REMOVED, "new": "x"})
    assert edited.text() == '{"k": { "new":"x","keep" : 1.0, "on": true }}'


@pytest.mark.parametrize("value", ["null", "1", "[]", '"x"'])
def test_update_replaces_a_value_that_is_not_an_object(value):
    """Something else under the key gives way, but only if something is to be set."""
    edited = draft(f'{{"k":{value}}}')
    edited.update("k", {"on": REMOVED})
    assert edited.text() == f'{{"k":{value}}}'
    edited.update("k", {"on": True})
    assert edited.text() == '{"k":{"on": true}}'


def test_replaced_value_cannot_be_edited():
    """A place in a text that is gone is an error instead of a wrong body."""
    edited = draft('{"a":[1]}')
    edited.set("a", [])
    for key in ("a", "b"):
        with pytest.raises(ValueError, match="was removed or replaced"):
            edited.within(key, [])
