"""Kubernetes' quantities, such as `500m` and `2Gi`: read, compared, added."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from compiler.verify.schema.cel.values import CelError, bounded

_QUANTITY = re.compile(r"([-+]?(?:\d{1,40}(?:\.\d{0,20})?|\.\d{1,20}))(?:([KMGTPE]i|[numkMGTPE]?)|[eE]([-+]?\d{1,2}))")
_POWERS = dict(zip(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), range(-9, 21, 3), strict=True))
_BINARY = {f"{letter}i": 1024 ** (power + 1) for power, letter in enumerate("KMGTPE")}


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """An amount, exactly."""

    amount: Fraction


def parse(text: object) -> Quantity | None:
    """The quantity that a text means; None where it is none."""
    match = _QUANTITY.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    unit = match[2] or ""
    if unit in _BINARY:
        return Quantity(Fraction(match[1]) * _BINARY[unit])
    return Quantity(Fraction(match[1]) * Fraction(10) ** (int(match[3]) if match[3] else _POWERS[unit]))


def quantity(text: object) -> Quantity:
    """`quantity(x)`."""
    found = parse(text)
    if found is None:
        raise CelError(f"`{str(text)[:30]}` is no quantity")
    return found


def _integer(value: Quantity) -> int:
    if value.amount.denominator != 1:
        raise CelError("the quantity is no integer")
    return bounded(value.amount.numerator)


def _other(value: Any) -> Fraction:  # noqa: ANN401 - any value
    return value.amount if isinstance(value, Quantity) else Fraction(value)


FUNCTIONS: dict[str, Callable[..., Any]] = {"quantity": quantity, "isQuantity": lambda text: parse(text) is not None}
METHODS: dict[str, Callable[..., Any]] = {
    "sign": lambda value: (value.amount > 0) - (value.amount < 0),
    "isInteger": lambda value: value.amount.denominator == 1 and abs(value.amount) < 1 << 63,
    "asInteger": _integer,
    "asApproximateFloat": lambda value: float(value.amount),
    "add": lambda value, other: Quantity(value.amount + _other(other)),
    "sub": lambda value, other: Quantity(value.amount - _other(other)),
    "compareTo": lambda value, other: (value.amount > other.amount) - (value.amount < other.amount),
    "isLessThan": lambda value, other: value.amount < other.amount,
    "isGreaterThan": lambda value, other: value.amount > other.amount,
}
