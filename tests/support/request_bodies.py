"""Strategies for JSON bodies in many spellings, for the tests of request bodies."""

from __future__ import annotations

import json

from hypothesis import strategies as st

BLANK = st.text(" \t\r\n", max_size=3)
NO_SURROGATE = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | NO_SURROGATE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NO_SURROGATE | st.just("model"), inner, max_size=3),
    max_leaves=8,
)


def spelled(draw, value: object) -> str:
    """A value as JSON in one of its many spellings."""
    text = json.dumps(value, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    return text.replace("/", "\\/") if draw(st.booleans()) else text


def key_spelled(draw, key: str) -> str:
    """A key, perhaps with its first character as an escape."""
    if key and ord(key[0]) < 0x80 and draw(st.booleans()):
        return f'"\\u{ord(key[0]):04x}{json.dumps(key[1:])[1:]}'
    return json.dumps(key)


@st.composite
def members(draw, keys=NO_SURROGATE, values=VALUES, max_size=5) -> list[tuple[str, str, str]]:
    """Members of an object whose keys differ even without case: key, its text with colon and blanks, value's text."""
    chosen = {key.casefold(): key for key in draw(st.lists(keys, max_size=max_size))}.values()
    return [
        (key, f"{key_spelled(draw, key)}{draw(BLANK)}:{draw(BLANK)}", spelled(draw, draw(values))) for key in chosen
    ]
