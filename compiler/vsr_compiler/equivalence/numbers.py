"""Exact numbers of a config."""

from __future__ import annotations

import math
from fractions import Fraction

MAX_DIGITS, MAX_NUMBER = 64, 1e15
_UNITS = {"K": 1_000, "M": 1_000_000}


def number(value: object) -> Fraction:
    """Return a number; 0 for what is none, or not finite."""
    text = str(value)
    if isinstance(value, bool) or len(text) > MAX_DIGITS:
        return Fraction(0)
    try:
        read = float(text)
        return Fraction(text) if read and math.isfinite(read) and abs(read) < MAX_NUMBER else Fraction(0)
    except ValueError:
        return Fraction(0)


def tokens(value: object) -> Fraction | None:
    """Return a number of tokens such as ``8192`` or ``8K``; None for no bound."""
    text = str("" if value is None else value).strip().upper()
    if not text:
        return None
    unit = _UNITS.get(text[-1], 1)
    return Fraction(int(number(text.rstrip("KM")) * unit))
