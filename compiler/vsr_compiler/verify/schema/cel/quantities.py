"""The CEL library of Kubernetes for quantities such as `500m` and `2Gi`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from vsr_compiler.verify.schema.cel.values import CelError, bounded
from vsr_schemas.quantities import amount


@dataclass(frozen=True, slots=True, order=True)
class Quantity:
    """An exact amount."""

    amount: Fraction


def parse(text: object) -> Quantity | None:
    """Return the quantity in a string; None if it is not one."""
    found = amount(text) if isinstance(text, str) else None
    return None if found is None else Quantity(found)


def quantity(text: object) -> Quantity:
    """Implement `quantity(x)`."""
    found = parse(text)
    if found is None:
        raise CelError(f"`{str(text)[:30]}` is not a quantity")
    return found


def _integer(value: Quantity) -> int:
    if value.amount.denominator != 1:
        raise CelError("the quantity is not an integer")
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
