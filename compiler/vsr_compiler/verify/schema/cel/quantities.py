"""The CEL library of Kubernetes for quantities such as `500m` and `2Gi`. Source: apimachinery's resource package."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any

from vsr_compiler.verify.schema.cel.values import CelError

MAX_TEXT = 4096
MAX_EXPONENT = 1000
"""Larger exponents count as this one: beyond any amount, and cheap to compute with."""
_INT64 = 1 << 63
_NANO = -9
_DIGITS = 18
"""Decimal digits that always fit into 64 bits."""
_QUANTITY = re.compile(r"([-+]?)([0-9]*)(?:\.([0-9]*))?([A-Za-z]*)([-+]?[0-9]*)")
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 10, "Mi": 20, "Gi": 30, "Ti": 40, "Pi": 50, "Ei": 60}


@dataclass(frozen=True)
class Quantity:
    """An amount: `value` times 10 to the power of `scale`.

    Attributes:
        value: The unscaled value.
        scale: The exponent.
        big: Whether Kubernetes keeps it as a big decimal, which is never an integer to its library.
    """

    value: int
    scale: int = 0
    big: bool = False

    @cached_property
    def amount(self) -> Fraction:
        """The exact amount."""
        return Fraction(self.value) * Fraction(10) ** self.scale

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Quantity) and self.amount == other.amount

    def __hash__(self) -> int:
        return hash(self.amount)


def parse(text: object) -> Quantity | None:
    """Return the quantity in a string; None if it is not one."""
    if not isinstance(text, str) or not text or len(text) > MAX_TEXT:
        return None
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    whole, part = match[2].lstrip("0"), match[3] or ""
    suffix, tail = match[4], match[5]
    if not match[2] and match[3] is None and (suffix or tail):
        whole = ""
    exponent, binary = _exponent(suffix, tail)
    if exponent is None:
        return None
    sign = -1 if match[1] == "-" else 1
    return (
        _big(sign, whole, part, exponent, binary=binary)
        if binary and (part or _wide(whole, exponent))
        else (_plain(sign, whole or "0", part, exponent, binary=binary))
    )


def _exponent(suffix: str, tail: str) -> tuple[int | None, bool]:
    """Return the exponent of a suffix, and whether its base is 2; None if there is no such suffix."""
    if not tail and suffix in _DECIMAL:
        return _DECIMAL[suffix], False
    if not tail and suffix in _BINARY:
        return _BINARY[suffix], True
    # Go reads the exponent as 64 bits.
    if suffix in {"e", "E"} and tail.lstrip("+-") and len(tail) <= 20 and -_INT64 <= int(tail) < _INT64:  # noqa: PLR2004
        return max(-MAX_EXPONENT, min(MAX_EXPONENT, int(tail))), False
    return None, False


def _wide(whole: str, exponent: int) -> bool:
    """Whether a binary quantity is beyond the 15 digits that Kubernetes keeps as an integer."""
    return 15 - len(whole or "0") - exponent * 3 // 10 - 1 < 0


def _plain(sign: int, whole: str, part: str, exponent: int, *, binary: bool) -> Quantity:
    digits = int(whole + part)
    if binary:
        value = digits << exponent
        return Quantity(sign * value) if value < _INT64 else _big(sign, whole, part, exponent, binary=True)
    scale = exponent - len(part)
    if len(whole) + len(part) <= _DIGITS and scale >= _NANO:
        return Quantity(sign * digits, scale)
    return _big(sign, whole, part, exponent, binary=False)


def _big(sign: int, whole: str, part: str, exponent: int, *, binary: bool) -> Quantity:
    """Return a big decimal. More digits than nano are rounded up; binary amounts end at 2^63 - 1."""
    amount = Fraction(int(f"0{whole}{part}"), 10 ** len(part)) * Fraction(2 if binary else 10) ** exponent
    nanos = amount * 10**9
    rounded = -(-nanos.numerator // nanos.denominator)
    if binary:
        rounded = min(rounded, (_INT64 - 1) * 10**9)
    return Quantity(sign * rounded, _NANO, big=True)


def quantity(text: object) -> Quantity:
    """Implement `quantity(x)`."""
    found = parse(text)
    if found is None:
        raise CelError(f"`{str(text)[:30]}` is not a quantity")
    return found


def is_integer(value: Quantity) -> bool:
    """Implement `x.isInteger()`."""
    return not value.big and value.scale >= 0 and abs(value.value) * 10**value.scale < _INT64


def _integer(value: Quantity) -> int:
    if not is_integer(value):
        raise CelError("cannot convert value to integer")
    return int(value.value * 10**value.scale)


def _sum(value: Quantity, other: Any, sign: int) -> Quantity:  # noqa: ANN401 - any value
    if type(other) is int:
        other = Quantity(other)
    if not isinstance(other, Quantity):
        raise TypeError
    if other.value == 0:
        return value
    if value.value == 0:
        return Quantity(sign * other.value, other.scale, other.big)
    scale = min(value.scale, other.scale)
    total = value.value * 10 ** (value.scale - scale) + sign * other.value * 10 ** (other.scale - scale)
    return Quantity(total, scale, value.big or other.big or abs(total) >= _INT64)


def compare(value: Quantity, other: Quantity) -> int:
    """Return -1, 0 or 1."""
    return (value.amount > other.amount) - (value.amount < other.amount)


def _sign(value: Quantity) -> int:
    return (value.value > 0) - (value.value < 0)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "quantity": quantity,
    "isQuantity": lambda text: parse(text) is not None,
    "sign": _sign,
}
METHODS: dict[str, Callable[..., Any]] = {
    "sign": _sign,
    "isInteger": is_integer,
    "asInteger": _integer,
    "asApproximateFloat": lambda value: float(value.value) * float(f"1e{value.scale}"),
    "add": lambda value, other: _sum(value, other, 1),
    "sub": lambda value, other: _sum(value, other, -1),
}
