"""Escapes of URLs, HTML, mail and source code in the texts that finders read."""

from __future__ import annotations

import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from vsr_runtime.decision.deadline import never
from vsr_runtime.decision.guards.decoding import MAX_LEVELS, decodings
from vsr_runtime.decision.guards.finders import credentials, personal, spans
from vsr_runtime.decision.guards.normalise import normalise

FINDERS = (personal(["EMAIL_ADDRESS"]), credentials())


def decode(text):
    """The last decoding of a text, which has all escapes undone."""
    views = list(decodings(text))
    return views[-1] if views else None


KEY = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"


@pytest.mark.parametrize(
    "text",
    [
        "GET /?m=jane.doe%40example.org",
        "jane.doe&#64;example.org",
        "jane.doe&#x40;example.org",
        "jane.doe&#64example.org",
        "jane.doe&commat;example&period;org",
        "jane.doe%2540example.org",
        "jane.doe%26%2364%3Bexample.org",
        "jane.doe=40example.org",
        "jane.doe\\x40example.org",
        "jane.doe%u0040example.org",
        "jane.doe\\u{40}example.org",
        "jane%E2%80%8B.doe%40example.org",
        "jane.doe\uff05\uff14\uff10example.org",
    ],
)
def test_escaped_address_is_found_whole(text):
    """Down to the last character, so that a mask leaves nothing of it."""
    [span] = spans(FINDERS, text, never)
    assert "jane" in text[span.start :]
    assert span.end == len(text)


def test_escaped_key_is_found():
    """Credentials as well as addresses."""
    for text in (urllib.parse.quote(KEY.replace("_", "%5F")), "".join(f"&#{ord(mark)};" for mark in KEY)):
        assert [(span.start, span.end) for span in spans(FINDERS, f"x {text} y", never)] == [(2, 2 + len(text))]


@pytest.mark.parametrize(
    ("text", "decoded"),
    [
        ("plain text", None),
        ("100% sure & fine = ok", None),
        ("&nosuch; %zz &#xD800; &#99999999;", None),
        ("a%C3%A9b", "a\u00e9b"),
        ("a%FFb", "a\u00ffb"),
        ("&lt;b&gt;", "<b>"),
        ("%" + "25" * (MAX_LEVELS + 1) + "41", "%2541"),
    ],
)
def test_only_escapes_are_undone(text, decoded):
    """Anything else stays, and bytes that are not UTF-8 become characters, too."""
    found = decode(normalise(text))
    assert (found and found.text) == decoded


@given(st.text(max_size=20), st.integers(1, MAX_LEVELS))
@examples(60)
def test_every_decoded_character_knows_where_it_came_from(text, levels):
    """Places rise, and lie in the original, however often a text was encoded."""
    original = text
    for _ in range(levels):
        text = urllib.parse.quote(text)
    found = decode(normalise(text))
    if found is not None:
        assert list(found.starts) == sorted(found.starts)
        assert all(0 <= start < end <= len(text) for start, end in zip(found.starts, found.ends, strict=True))
    if "%" not in original and "&" not in original and "=" not in original and "\\" not in original:
        assert (found.text if found else normalise(text).text) == normalise(original).text
