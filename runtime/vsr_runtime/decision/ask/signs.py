"""The signs at the beginnings of lines: they tell at once which searches in a text can find nothing."""

from __future__ import annotations

import re

_SIGN = re.compile(r"\n[ \t]*([-=*<~_][-=*<~_]|##?|[\[(]|\d\d?[^\n]?)")
_LINES = frozenset("=*_~-")
_ROW = frozenset("0123456789[(")


def signs_of(text: str, start: int, end: int) -> frozenset[str]:
    """Return the signs and numbers that lines between two positions begin with: ``--``, ``#``, ``[``, ``1.``."""
    return frozenset(_SIGN.findall(text, max(0, start - 1), end))


def has_ruled_lines(signs: frozenset[str]) -> bool:
    """Return whether a line such as ``--- Notes ---`` may be there."""
    return any(sign[0] == sign[-1] and len(sign) > 1 and not sign[0].isdigit() for sign in signs)


def has_titles_in_lines(signs: frozenset[str]) -> bool:
    """Return whether a title such as ``=== Notes ===`` may be there."""
    return any(len(sign) > 1 and sign[0] in _LINES for sign in signs)


def has_headings(signs: frozenset[str]) -> bool:
    """Return whether a heading may be there."""
    return "#" in signs or "##" in signs


def has_numbers(signs: frozenset[str]) -> bool:
    """Return whether a line such as ``1. Goal`` may be there."""
    return any(sign[-1] in ".)" and sign[0].isdigit() for sign in signs)


def has_rows(signs: frozenset[str]) -> bool:
    """Return whether a line may begin with a time."""
    return any(sign[0] in _ROW for sign in signs)
