"""Values of CEL: types that Python lacks, equality, order and arithmetic; and the budget of an evaluation."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.verify.schema.cel.syntax import Unsigned

MAX_SIZE = 1_000_000
"""Limit of strings and lists that a rule creates."""
_TIME_RANGE = (-62_135_596_800 * 10**9, 253_402_300_800 * 10**9)
"""The years 1 to 9999 in nanoseconds since 1970."""


class CelError(Exception):
    """The evaluation failed. An API server rejects the object with this error."""


class UnsupportedError(Exception):
    """The evaluation needs something that is not available here. An API server may accept or reject the object."""


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


@dataclass(frozen=True, slots=True, order=True)
class Timestamp:
    """A point in time.

    Attributes:
        nanos: Nanoseconds since 1970.
        offset: Minutes ahead of UTC of the time zone in which it was written.
    """

    nanos: int
    offset: int = field(default=0, compare=False)

    @property
    def in_range(self) -> bool:
        """Whether CEL supports it."""
        return _TIME_RANGE[0] <= self.nanos < _TIME_RANGE[1]


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
_ORDERED = (str, bytes, bool, Duration, Timestamp)


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
    (Timestamp, "google.protobuf.Timestamp"),
    (Type, "type"),
    (Optional, "optional_type"),
    (ipaddress.IPv4Interface, "net.CIDR"),
    (ipaddress.IPv6Interface, "net.CIDR"),
    (ipaddress.IPv4Address, "net.IP"),
    (ipaddress.IPv6Address, "net.IP"),
)
TYPES = {
    name: Type(name)
    for name in (
        "bool",
        "uint",
        "int",
        "double",
        "string",
        "bytes",
        "list",
        "map",
        "null_type",
        "type",
        "optional_type",
    )
}


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
    if isinstance(first, float) != isinstance(second, float) and number(first) and number(second):
        return float(first) == float(second)
    return bool(first == second)


def ordered(first: Any, second: Any) -> int:  # noqa: ANN401 - any value
    """Return a number below, equal to or above zero if the first value is less, equal or greater.

    Raises:
        CelError: The values cannot be compared.
    """
    if number(first) and number(second):
        if first != first or second != second:  # noqa: PLR0124 - only NaN differs from itself
            raise CelError("NaN has no order")
        if isinstance(first, float) != isinstance(second, float):
            first, second = float(first), float(second)
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
    if mark == "%" and type(first) is int:
        bounded(quotient)
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
