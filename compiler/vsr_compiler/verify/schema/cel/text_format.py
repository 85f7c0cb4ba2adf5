"""`'%s has %d'.format([…])` as cel-go writes it: numbers in the locale en_US, values in lists as CEL literals."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from vsr_compiler.verify.schema.cel.conversions import to_string
from vsr_compiler.verify.schema.cel.syntax import Unsigned
from vsr_compiler.verify.schema.cel.values import MAX_SIZE, CelError, Duration, Timestamp, Type, type_name

_CLAUSE = re.compile(r"%(?:(%)|(\.[0-9]+)?([sdfeboxX]))?")
_SUPERSCRIPT = str.maketrans("0123456789-+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")
_INFINITY = "∞"
_WIDTH = 6
"""cel-go takes the precision of `%e` as its width; without one it is 6."""
MAX_DIGITS = 100
MAX_DEPTH = 30
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_ESCAPES = {"\a": "\\a", "\b": "\\b", "\f": "\\f", "\v": "\\v"}


def formatted(template: str, values: list[Any]) -> str:
    """Implement `x.format(values)`.

    Raises:
        CelError: A placeholder is unknown, has no value, or does not accept its value.
    """
    if not isinstance(template, str) or not isinstance(values, list):
        raise TypeError
    parts, at, used, size = [], 0, 0, 0
    while True:
        match = _CLAUSE.search(template, at)
        parts.append(template[at : match.start()] if match else template[at:])
        if match is not None:
            at = match.end()
            if match[1]:
                parts.append("%")
            elif used >= len(values):
                raise CelError(f"index {used} out of range")
            elif not match[3]:
                raise CelError("unrecognized formatting clause")
            else:
                digits = min(int(match[2][1:]), MAX_DIGITS) if match[2] else _WIDTH
                parts.append(_clause(match[3], digits, values[used]))
                used += 1
        size += sum(map(len, parts[-2:]))
        if size > MAX_SIZE:
            raise CelError("the result is too long")
        if match is None:
            return "".join(parts)


def _clause(mark: str, digits: int, value: Any) -> str:  # noqa: ANN401 - any value
    if mark == "s":
        return _string(value)
    if mark in "fe":
        number = _SPECIAL.get(value) if isinstance(value, str) else value
        if isinstance(number, float):
            return _fixed(number, digits) if mark == "f" else _scientific(number, digits)
    elif isinstance(value, bool):
        if mark == "b":
            return str(int(value))
    elif isinstance(value, int):
        return format(int(value), mark)
    elif mark in "xX" and isinstance(value, str | bytes):
        text = (value.encode() if isinstance(value, str) else value).hex()
        return text.upper() if mark == "X" else text
    raise CelError(f"`%{mark}` does not accept {type_name(value)}")


def _fixed(value: float, digits: int) -> str:
    if math.isnan(value):
        return "NaN"
    return ("-" if value < 0 else "") + _INFINITY if math.isinf(value) else format(value or 0.0, f",.{digits}f")


def _scientific(value: float, width: int) -> str:
    if not math.isfinite(value):
        return _fixed(value, 0).rjust(width)
    mantissa, _, exponent = format(value, ".6e").partition("e")
    power = exponent.removeprefix("+").translate(_SUPERSCRIPT)
    return f"{mantissa}\u202f×\u202f10{power}".rjust(width)  # noqa: RUF001 - the sign of multiplication


def _string(value: Any) -> str:  # noqa: ANN401 - any value
    if value is None:
        return "null"
    if isinstance(value, list | dict):
        return _literal(value, 0, [MAX_SIZE])
    if isinstance(value, bool | int | float | str | bytes | Duration | Timestamp | Type):
        return to_string(value)
    raise CelError(f"`%s` does not accept {type_name(value)}")


def _literal(value: Any, depth: int, left: list[int]) -> str:  # noqa: ANN401 - any value
    """Return a value as a literal of CEL.

    Args:
        value: The value.
        depth: How deep it is nested.
        left: The number of characters that may still be written.
    """
    if depth > MAX_DEPTH:
        raise CelError("the value is nested too deep")
    if isinstance(value, list):
        return "[" + ", ".join(_literal(item, depth + 1, left) for item in value) + "]"
    if isinstance(value, dict):
        pairs = value.items()
        entries = sorted((_literal(key, depth + 1, left), _literal(item, depth + 1, left)) for key, item in pairs)
        return "{" + ", ".join(f"{key}:{item}" for key, item in entries) + "}"
    left[0] -= 2 + (len(value) if isinstance(value, str | bytes) else 0)
    if left[0] < 0:
        raise CelError("the result is too long")
    return _scalar(value)


def _scalar(value: Any) -> str:  # noqa: ANN401 - any value
    if isinstance(value, float):
        return format(value, ".6f") if math.isfinite(value) else _quoted(_string(value))
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, bytes):
        return f"b{_quoted(_string(value))}"
    if isinstance(value, Duration | Timestamp):
        return f"{'duration' if isinstance(value, Duration) else 'timestamp'}({_quoted(_string(value))})"
    return str(int(value)) if isinstance(value, Unsigned) else _string(value)


def _quoted(text: str) -> str:
    """Return a string in quotes, as Go's `%q`."""
    found = []
    for character in text:
        if character in _ESCAPES:
            found.append(_ESCAPES[character])
        elif character.isprintable():
            found.append(json.dumps(character, ensure_ascii=False)[1:-1])
        elif character in "\n\r\t":
            found.append(json.dumps(character)[1:-1])
        else:
            code = ord(character)
            found.append(f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")  # noqa: PLR2004 - ranges of escapes
    return f'"{"".join(found)}"'
