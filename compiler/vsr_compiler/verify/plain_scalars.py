"""Plain scalars as kubectl's YAML library resolves them, which is neither YAML 1.1 nor 1.2."""

from __future__ import annotations

import math
import re

_WORDS: dict[str, object] = dict.fromkeys(("", "~", "null", "Null", "NULL"))
_WORDS |= dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True)
_WORDS |= dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False)
_INTEGER = re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[oO]?[0-7_]+|0b[01_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?")
_SPECIAL = {"inf": math.inf, "nan": math.nan}


def resolve_plain_scalar(value: str) -> object:
    """Return the value of a plain scalar: null, a boolean, a number or the string itself."""
    if value in _WORDS:
        return _WORDS[value]
    first = value[0]
    if first not in "+-.0123456789":
        return value
    if _INTEGER.fullmatch(value):
        return _integer(value.replace("_", ""))
    if _FLOAT.fullmatch(value):
        return float(value.replace("_", ""))
    return _SPECIAL.get(value.lstrip("+").removeprefix(".").lower(), value) if value[-1] in "fFnN" else value


def _integer(value: str) -> object:
    sign, digits = (-1, value[1:]) if value[0] == "-" else (1, value.lstrip("+"))
    if len(digits) > len("0b") + 64:
        return math.inf * sign
    if digits[:2].lower() in {"0x", "0o", "0b"}:
        return sign * int(digits, 0)
    octal = digits[0] == "0" and len(digits) > 1 and not set(digits) & {"8", "9"}
    return sign * int(digits, 8 if octal else 10)
