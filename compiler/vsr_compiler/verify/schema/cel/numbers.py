"""Numbers of CEL as text and text as numbers, as Go's `strconv` and `fmt` convert them."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

from vsr_compiler.verify.schema.cel.syntax import Unsigned
from vsr_compiler.verify.schema.cel.values import CelError, bounded, number, type_name

_INTEGER = re.compile(r"[-+]?[0-9]{1,40}")
_UNSIGNED = re.compile(r"[0-9]{1,40}")
_FLOAT = re.compile(
    r"[-+]?(?:(?:[0-9](?:_?[0-9])*\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|(?:inf(?:inity)?|nan))", re.IGNORECASE
)
_HEX_FLOAT = re.compile(r"[-+]?0[xX](?:[0-9a-fA-F]+\.?[0-9a-fA-F]*|\.[0-9a-fA-F]+)[pP][-+]?[0-9]+")
MAX_TEXT = 400
_SHORT, _LONG = -4, 6
"""Exponents from which Go writes the shortest form of a double in exponential notation."""


def to_int(text: str) -> int:
    """Return the integer that a string denotes.

    Raises:
        CelError: It does not denote an integer of 64 bits.
    """
    if not _INTEGER.fullmatch(text):
        raise CelError(f"`{text[:30]}` is not an integer")
    return bounded(int(text))


def to_uint(text: str) -> Unsigned:
    """Return the unsigned integer that a string denotes.

    Raises:
        CelError: It does not denote an unsigned integer of 64 bits.
    """
    if not _UNSIGNED.fullmatch(text):
        raise CelError(f"`{text[:30]}` is not an unsigned integer")
    return Unsigned(bounded(int(text), unsigned=True))


def whole(value: float, *, unsigned: bool = False) -> int:
    """Return a double without its fraction.

    Raises:
        CelError: It is out of range. Like cel-go, the limits themselves are.
    """
    low, high = (-1.0, 2.0**64) if unsigned else (-(2.0**63), 2.0**63)
    below = value <= low if not unsigned else value < 0
    if not math.isfinite(value) or below or value >= high:
        raise CelError("integer overflow")
    return int(value)


def to_double(value: Any) -> float:  # noqa: ANN401 - any value
    """Implement `double(x)`."""
    if isinstance(value, str):
        if len(value) <= MAX_TEXT and _FLOAT.fullmatch(value):
            found = float(value)
            if math.isfinite(found) or value.lstrip("+-")[:1] in "iInN":
                return found
        elif len(value) <= MAX_TEXT and _HEX_FLOAT.fullmatch(value):
            return float.fromhex(value)
        raise CelError(f"`{value[:30]}` is not a number")
    if not number(value):
        raise CelError(f"no `double` of {type_name(value)}")
    return float(value)


def shortest(value: float) -> str:
    """Return a double in the shortest form that reads back as the same (Go's `%g`)."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 - finite, as checked above
    text = "".join(map(str, digits))
    point = len(text) + exponent
    mark = "-" if sign else ""
    if point - 1 < _SHORT or point - 1 >= _LONG:
        fraction = f".{text[1:]}" if len(text) > 1 else ""
        return f"{mark}{text[0]}{fraction}e{'-' if point <= 0 else '+'}{abs(point - 1):02d}"
    if point <= 0:
        return f"{mark}0.{'0' * -point}{text}"
    return f"{mark}{text[:point].ljust(point, '0')}{'.' + text[point:] if len(text) > point else ''}"
