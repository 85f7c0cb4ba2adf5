"""Undoes JSON's escapes wherever they stand in a text, such as in a call's arguments, which are JSON inside JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from vsr_runtime.decision.guards.normalise import normalise
from vsr_runtime.decision.guards.text import Normalised

_ONE = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|" + r'\\["\\/bfnrt]'
ESCAPE = re.compile(_ONE)
"""What stands for one character. Anything else behind a backslash is no escape and stays."""
_ROW = re.compile(f"(?:{_ONE})+")
UNICODE = re.compile(r"\\u[0-9a-fA-F]{4}")
_LONE = re.compile("[\ud800-\udfff]")


def undone(text: str) -> str:
    """The text with its escapes undone. Half of a pair becomes what stands for the unreadable."""
    return _ROW.sub(lambda match: _LONE.sub("\ufffd", json.loads(f'"{match[0]}"')), text)


def offsets(text: str) -> Sequence[int]:
    """Where each character of the text with its escapes undone begins in the text; at the end, its length."""
    found: list[int] = []
    last = 0
    for match in ESCAPE.finditer(text):
        found += range(last, match.start() + 1)
        last = match.end()
    return [*found, *range(last, len(text) + 1)]


def unescaped(text: str) -> Normalised | None:
    """The text with its escapes undone, as finders read it; None where it has none."""
    if "\\" not in text or not ESCAPE.search(text):
        return None
    places = offsets(text)
    inner = normalise(undone(text))
    return Normalised(
        inner.text,
        [places[start] for start in inner.starts],
        [places[end] for end in inner.ends],
        tuple(replace(span, start=places[span.start], end=places[span.end]) for span in inner.hidden),
    )
