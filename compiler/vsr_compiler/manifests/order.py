"""The order of keys in ``kubectl kustomize``: natural order, so that ``a2`` comes before ``a10``.

The comparison is that of the YAML emitter in kustomize 5.5. It is not transitive for a few sets such as ``a2``,
``a10``, ``a1b`` (each less than the next, the last less than the first); kustomize then prints a different order each
time. Ours is deterministic.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cmp_to_key

_PLAIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz./-")


def ordered(keys: Iterable[str]) -> list[str]:
    """Return the keys in kustomize's order."""
    by_code_point = sorted(keys)
    if _PLAIN.issuperset("".join(by_code_point)):
        return by_code_point
    return sorted(by_code_point, key=cmp_to_key(_compare))


def _compare(left: str, right: str) -> int:
    """Return less than 0 if ``left`` comes first. At the first difference letters come last and digits are numbers."""
    at = next((i for i, (a, b) in enumerate(zip(left, right, strict=False)) if a != b), None)
    if at is None:
        return len(left) - len(right)
    a, b = left[at], right[at]
    if a.isalpha() or b.isalpha():
        return ord(a) - ord(b) if a.isalpha() and b.isalpha() else 1 if a.isalpha() else -1
    # A zero counts only after other digits: a1 and a10 differ in length, a0 and a00 are equal in value.
    start = 1 if "0" in (a, b) and left[_digits_before(left, at) : at].strip("0") else 0
    return _less(_number(left, at, start), _number(right, at, start)) or ord(a) - ord(b)


def _digits_before(text: str, at: int) -> int:
    while at > 0 and text[at - 1].isdecimal():
        at -= 1
    return at


def _number(text: str, at: int, start: int) -> tuple[int, int]:
    """Return the number that begins at ``at``, after a digit ``start``, and its end."""
    total = start
    while at < len(text) and text[at].isdecimal():
        # Go uses 64 bits and lets longer numbers overflow.
        total = (total * 10 + ord(text[at]) - ord("0") + 2**63) % 2**64 - 2**63
        at += 1
    return total, at


def _less(left: tuple[int, int], right: tuple[int, int]) -> int:
    return (left > right) - (left < right)
