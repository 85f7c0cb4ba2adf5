"""Values of CEL: types that Python lacks, equality, order and arithmetic; and the budget of an evaluation."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from vsr_compiler.verify.schema.cel.syntax import Unsigned

MAX_SIZE = 1_000_000
"""Limit of strings and lists that a rule creates."""
_DURATION = re.compile(r"([-+]?)((?:\d{1,18}(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+")
_PART = re.compile(r"(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)")
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}


class CelError(Exception):
    """The evaluation failed. An API server rejects the object with this error."""


class CostError(Exception):
    """The evaluation exhausted its budget."""


@dataclass(slots=True)
class Budget:
    """Remaining steps of an evaluation; a step is about one operation on one value."""

    left: int

    def spend(self, steps: int) -> None:
        """Spend steps.

        Raises:
            CostError: The budget is exhausted.
        """
        self.left -= steps
        if self.left < 0:
            raise CostError


@dataclass(frozen=True, slots=True, order=True)
class Duration:
    """A duration in nanoseconds."""

    nanos: int


@dataclass(frozen=True, slots=True)
class Type:
    """A type as a value, the result of `type(x)`."""

    name: str


@dataclass(frozen=True, slots=True)
class Optional:
    """A value that may be absent."""

    value: Any = None
    present: bool = False


NONE = Optional()
_ORDERED = (str, bytes, bool, Duration, dt.datetime)


def type_name(value: object) -> str:
    """Return the CEL name of a value's type."""
    for kind, name in _NAMES:
        if isinstance(value, kind):
            return name
    return type(value).__name__.lower()


_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (Unsigned, "uint"),
    (int, "int"),
    (float, "double"),
    (str, "string"),
    (bytes, "bytes"),
    (list, "list"),
    (dict, "map"),
    (type(None), "null_type"),
    (Duration, "google.protobuf.Duration"),
    (dt.datetime, "google.protobuf.Timestamp"),
    (Type, "type"),
    (Optional, "optional_type"),
)
TYPES = {name: Type(name) for name in ("bool", "uint", "int", "double", "string", "bytes", "list", "map", "null_type")}


def equal(first: Any, second: Any, budget: Budget) -> bool:  # noqa: ANN401, PLR0911 - any value; one for each type
    """Whether two values are equal. Values of different types are not, except numbers."""
    if isinstance(first, str) or isinstance(second, str):
        return bool(first == second)
    budget.spend(1)
    if isinstance(first, bool) or isinstance(second, bool):
        return first is second
    if isinstance(first, list) and isinstance(second, list):
        return len(first) == len(second) and all(equal(a, b, budget) for a, b in zip(first, second, strict=True))
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key], budget) for key in first)
    if isinstance(first, Optional) and isinstance(second, Optional):
        return first.present == second.present and equal(first.value, second.value, budget)
    if isinstance(first, Optional) or isinstance(second, Optional):
        # Rules compare the result of a format's `validate` with null, meaning an empty optional.
        both = (first, second)
        return None in both and NONE in both
    return bool(first == second)


def ordered(first: Any, second: Any) -> int:  # noqa: ANN401 - any value
    """Return a number below, equal to or above zero if the first value is less, equal or greater.

    Raises:
        CelError: The values cannot be compared.
    """
    if number(first) and number(second):
        if first != first or second != second:  # noqa: PLR0124 - only NaN differs from itself
            raise CelError("NaN has no order")
    elif not any(isinstance(first, kind) and isinstance(second, kind) for kind in _ORDERED):
        raise CelError(f"{type_name(first)} and {type_name(second)} have no order")
    return int(first > second) - int(first < second)


def number(value: object) -> bool:
    """Whether a value is a number; booleans are not."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def arithmetic(mark: str, first: Any, second: Any, budget: Budget) -> Any:  # noqa: ANN401 - any value
    """Return the result of `+ - * / %`.

    Raises:
        CelError: The operator does not support the types, or the result is out of range.
    """
    if isinstance(first, bool) or isinstance(second, bool):
        raise CelError(f"no `{mark}` of {type_name(first)} and {type_name(second)}")
    if mark == "+" and type(first) is type(second) and isinstance(first, str | bytes | list):
        budget.spend((len(first) + len(second)) // 16)
        if len(first) + len(second) > MAX_SIZE:
            raise CelError("the result is too long")
        return first + second
    if isinstance(first, float) and isinstance(second, float):
        return _floating(mark, first, second)
    if type(first) is type(second) and isinstance(first, int):
        return _integral(mark, first, second)
    if mark in "+-":
        return _temporal(mark, first, second)
    raise CelError(f"no `{mark}` of {type_name(first)} and {type_name(second)}")


def _floating(mark: str, first: float, second: float) -> float:
    try:
        results = {"+": lambda: first + second, "-": lambda: first - second, "*": lambda: first * second}
        if mark in results:
            return results[mark]()
        if mark == "/":
            return first / second
    except ZeroDivisionError:
        nothing = first == 0 or first != first  # noqa: PLR0124 - only NaN differs from itself
        return float("nan") if nothing else float("inf") if first > 0 else float("-inf")
    raise CelError("no `%` of doubles")


def _integral(mark: str, first: int, second: int) -> int:
    if mark in "/%" and second == 0:
        raise CelError("division by zero")
    quotient = abs(first) // abs(second) if mark in "/%" else 0
    quotient = -quotient if (first < 0) != (second < 0) else quotient
    plain, other = int(first), int(second)
    result = {
        "+": plain + other,
        "-": plain - other,
        "*": plain * other,
        "/": quotient,
        "%": plain - quotient * other,
    }[mark]
    return Unsigned(bounded(result, unsigned=True)) if isinstance(first, Unsigned) else bounded(result)


def bounded(value: int, *, unsigned: bool = False) -> int:
    """Return the integer.

    Raises:
        CelError: It does not fit into 64 bits.
    """
    low, high = (0, 1 << 64) if unsigned else (-(1 << 63), 1 << 63)
    if not low <= value < high:
        raise CelError("integer overflow")
    return value


def _temporal(mark: str, first: Any, second: Any) -> Any:  # noqa: ANN401 - any value
    sign = 1 if mark == "+" else -1
    try:
        if isinstance(first, Duration) and isinstance(second, Duration):
            return Duration(bounded(first.nanos + sign * second.nanos))
        if isinstance(first, dt.datetime) and isinstance(second, Duration):
            return first + sign * dt.timedelta(microseconds=second.nanos // 1000)
        if isinstance(first, Duration) and isinstance(second, dt.datetime) and mark == "+":
            return second + dt.timedelta(microseconds=first.nanos // 1000)
        if isinstance(first, dt.datetime) and isinstance(second, dt.datetime) and mark == "-":
            return Duration((first - second) // dt.timedelta(microseconds=1) * 1000)
    except OverflowError:
        raise CelError("the time is out of range") from None
    raise CelError(f"no `{mark}` of {type_name(first)} and {type_name(second)}")


def duration(text: str) -> Duration | None:
    """Return a duration in Go's notation, such as `1h30m` or `1.5s`; None if it is invalid."""
    if text in {"0", "+0", "-0"}:
        return Duration(0)
    match = _DURATION.fullmatch(text) if len(text) <= 100 else None  # noqa: PLR2004 - longer than any duration
    if match is None:
        return None
    nanos = 0
    for whole, part, unit in _PART.findall(text):
        nanos += int(whole or 0) * _UNITS[unit] + int(part[:18] or 0) * _UNITS[unit] // 10 ** len(part[:18])
    nanos = -nanos if match[1] == "-" else nanos
    return Duration(nanos) if -(1 << 63) <= nanos < 1 << 63 else None


def timestamp(text: str) -> dt.datetime | None:
    """Return a timestamp in the notation of RFC 3339; None if it is invalid."""
    if len(text) > 40 or "T" not in text.upper():  # noqa: PLR2004 - longer than any timestamp
        return None
    try:
        value = dt.datetime.fromisoformat(text.upper())
    except ValueError:
        return None
    return value if value.tzinfo is not None else None
