"""How numbers of people and companies become findings: by a checksum, a context word, or both.

A number with a single check digit is valid by chance in one of ten cases, so it needs a context word. Letters in fixed
positions, two check digits or a birth date make chance unlikely: such a number counts alone.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from vsr_runtime.decision.guards.recogniser import CONTEXT, SURE, Recogniser, Validator, compile_bytes, has_context
from vsr_runtime.decision.guards.rules.technical import is_technical_number

ANY_ID = (
    rb"national id|id number|identity|identification|personal number|id card|passport|ausweis|citizen|id no|"
    rb"tax ?(?:id|no|nr|number|payer|code|file|ref\w*|identification)|taxpayer"
)
"""Context words of every number. They support a valid number only."""
_ID_BEFORE = rb"(?i)(?:^|[^a-z])id[ :=#]{1,3}$"
"""What is before a number of a person as well as before one of a machine."""
Check = str | Callable[[str], bool]
"""A module of python-stdnum, or a function."""


def rule(
    type_: str,
    name: str,
    check: Check,
    pattern: bytes,
    words: bytes,
    *,
    alone: bool = False,
    terms: tuple[str, ...] = (),
    digits: int = 0,
) -> Recogniser:
    """Return the recogniser of a number.

    Args:
        type_: the type of its findings.
        name: its name, for logs and tables.
        check: what validates the number.
        pattern: RE2 pattern of its form.
        words: an alternation of context words.
        alone: whether a valid number needs no context word.
        terms: context words that are not ASCII, in lower case.
        digits: the fewest digits of its form.
    """
    return Recogniser(
        type_,
        name,
        rb"\b(?:" + pattern + rb")\b",
        _validator(check, words, alone=alone),
        context=b"" if alone else words + b"|" + ANY_ID,
        terms=terms,
        near=_validator(check, words, alone=True) if terms else None,
        digits=digits,
    )


def _validator(check: Check, words: bytes, *, alone: bool) -> Validator:
    """Return a validator. If ``alone``, a valid number needs no context word."""

    def judge(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - re2 ships no types
        start, end = match.span()
        if data[end : end + 1] in {b"-", b".", b"/"} and data[end + 1 : end + 2].isdigit():
            return
        if (
            data[max(0, start - 1) : start] in {b"-", b".", b"/", b","}
            and data[max(0, start - 2) : start - 1].isdigit()
        ):
            return
        valid = is_valid(check, match[0].decode("latin-1"))
        if valid and alone:
            yield start, end, SURE
        elif is_technical_number(data, start, end) and compile_bytes(_ID_BEFORE).search(data[:start][-8:]) is None:
            return
        elif has_context(data, start, end, words + b"|" + ANY_ID if valid else words):
            yield start, end, SURE if valid else CONTEXT

    return judge


def is_valid(check: Check, number: str) -> bool:
    """Return whether a number passes its check. One at which the check fails counts as valid: it is hidden, not passed.

    The library looks up parts of a number in tables, and raises ``KeyError`` for a Chinese county that it does not know.
    """
    try:
        return bool(_stdnum(check).is_valid(number)) if isinstance(check, str) else check(number)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        return True


@cache
def _stdnum(module: str) -> Any:  # noqa: ANN401 - one of many modules
    return importlib.import_module(f"stdnum.{module}")
