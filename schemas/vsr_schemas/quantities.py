"""Kubernetes' quantities, such as `500m` and `2Gi`, as exact numbers."""

from __future__ import annotations

import re
from fractions import Fraction

_QUANTITY = re.compile(r"([-+]?(?:\d{1,40}(?:\.\d{0,20})?|\.\d{1,20}))(?:([KMGTPE]i|[numkMGTPE]?)|[eE]([-+]?\d{1,2}))")
_POWERS = dict(zip(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"), range(-9, 21, 3), strict=True))
_BINARY: dict[str, int] = {f"{letter}i": 1024 ** (power + 1) for power, letter in enumerate("KMGTPE")}


def amount(text: str) -> Fraction | None:
    """The number that a quantity means; None where it is none.

    >>> amount("500m")
    Fraction(1, 2)
    """
    match = _QUANTITY.fullmatch(text)
    if match is None:
        return None
    unit = match[2] or ""
    if unit in _BINARY:
        return Fraction(match[1]) * _BINARY[unit]
    power = int(match[3]) if match[3] else _POWERS[unit]
    return Fraction(match[1]) * (Fraction(10**power) if power >= 0 else Fraction(1, 10**-power))


def quantity(size: int) -> str:
    """Return bytes as a Kubernetes quantity.

    >>> quantity(8 * 2**20)
    '8Mi'
    """
    for unit, suffix in ((2**20, "Mi"), (2**10, "Ki")):
        if size % unit == 0:
            return f"{size // unit}{suffix}"
    return str(size)


def is_device(resource: str) -> bool:
    """Whether a resource is one of a node's devices, such as ``nvidia.com/gpu``: whole, and never overcommitted."""
    return "/" in resource
