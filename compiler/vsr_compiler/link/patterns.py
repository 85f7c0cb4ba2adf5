"""Regular expressions that policies may hold: those that run in linear time, whatever the input."""

from __future__ import annotations

import re
import warnings

MAX_PATTERN = 1000
_NOT_LINEAR = re.compile(r"\(\?(?:=|!|<=|<!|>|\(|P=)|\\[1-9]|[*+?}]\+")
"""Look-arounds, back-references, atomic groups, conditionals, possessive repeats: what RE2 does not have either."""


def refusal(pattern: str) -> str | None:
    """Why a pattern cannot be used; None where it can."""
    if len(pattern) > MAX_PATTERN:
        return f"the pattern is longer than {MAX_PATTERN} characters"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError, Warning) as error:
        return f"the pattern cannot be compiled: {error}"
    if found := _NOT_LINEAR.search(pattern.replace(r"\\", "")):
        return f"`{found[0]}` has no linear-time form"
    return None
