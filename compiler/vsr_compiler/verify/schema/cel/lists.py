"""Functions of lists and sets in CEL and in the Kubernetes libraries. Source: cel-go 0.26 `ext`, k8s.io/apiserver."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from itertools import pairwise
from typing import Any

from vsr_compiler.verify.schema.cel.syntax import Unsigned
from vsr_compiler.verify.schema.cel.values import (
    NONE,
    Budget,
    CelError,
    Duration,
    Optional,
    bounded,
    equal,
    number,
    ordered,
)

MAX_ITEMS = 100_000
MAX_DEPTH = 50
COMPARISONS = 1_000_000
"""Limit of comparisons within one call."""


_INCOMPARABLE = (type(None), list, dict, Optional)


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - any value
    if not isinstance(value, list):
        raise TypeError
    return value


def _comparable(values: Any) -> list[Any]:  # noqa: ANN401 - any value
    if any(isinstance(value, _INCOMPARABLE) for value in _list(values)):
        raise CelError("list elements must be comparable")
    return _list(values)


def is_sorted(values: list[Any]) -> bool:
    """Implement `[…].isSorted()`."""
    return all(ordered(first, second) <= 0 for first, second in pairwise(_comparable(values)))


def extreme(values: list[Any], sign: int) -> Any:  # noqa: ANN401 - any value
    """Implement `[…].min()` and `[…].max()`."""
    if not _comparable(values):
        raise CelError("called on an empty list")
    best = values[0]
    for value in values[1:]:
        if ordered(value, best) * sign > 0:
            best = value
    return best


def total(values: list[Any]) -> Any:  # noqa: ANN401 - any value
    """Implement `[…].sum()`."""
    if any(not number(value) and not isinstance(value, Duration) for value in _list(values)):
        raise TypeError
    if values and isinstance(values[0], Duration):
        return Duration(bounded(sum(value.nanos for value in values)))
    result = sum(values)
    if isinstance(result, float):
        return result
    return Unsigned(bounded(result, unsigned=True)) if values and isinstance(values[0], Unsigned) else bounded(result)


def index_of(values: list[Any], item: Any) -> int:  # noqa: ANN401 - any value
    """Implement `[…].indexOf(x)`."""
    budget = Budget(COMPARISONS)
    return next((at for at, value in enumerate(_list(values)) if equal(value, item, budget)), -1)


def last_index_of(values: list[Any], item: Any) -> int:  # noqa: ANN401 - any value
    """Implement `[…].lastIndexOf(x)`."""
    budget = Budget(COMPARISONS)
    return next((at for at in range(len(_list(values)) - 1, -1, -1) if equal(values[at], item, budget)), -1)


def _distinct(values: list[Any]) -> list[Any]:
    if all(isinstance(value, str) for value in _list(values)):
        return list(dict.fromkeys(values))
    result: list[Any] = []
    budget = Budget(COMPARISONS)
    for value in values:
        budget.spend(len(result))
        if not any(equal(value, each, budget) for each in result):
            result.append(value)
    return result


def _flatten(values: list[Any], depth: int = 1) -> list[Any]:
    if depth < 0:
        raise CelError("level must be non-negative")
    result: list[Any] = []
    for value in _list(values):
        result += _flatten(value, min(depth, MAX_DEPTH) - 1) if isinstance(value, list) and depth > 0 else [value]
        if len(result) > MAX_ITEMS:
            raise CelError("the result is too long")
    return result


def _slice(values: list[Any], start: int, end: int) -> list[Any]:
    if not 0 <= start <= end <= len(_list(values)):
        raise CelError(f"cannot slice({start}, {end}): index out of bounds")
    return values[start:end]


def _range(count: int) -> list[int]:
    if count > MAX_ITEMS:
        raise CelError("the result is too long")
    return list(range(count))


def sort(values: list[Any]) -> list[Any]:
    """Implement `[…].sort()`."""
    return sort_by(_list(values), values)


def sort_by(values: list[Any], keys: list[Any]) -> list[Any]:
    """Return the values in the order of their keys."""
    if any(type(key) is not type(keys[0]) for key in _comparable(keys)[1:]):
        raise CelError("list elements must have the same type")
    by_key = cmp_to_key(ordered)
    return [values[at] for at in sorted(range(len(values)), key=lambda at: by_key(keys[at]))]


def _optional(values: list[Any], at: int) -> Optional:
    return Optional(values[at], present=True) if _list(values) else NONE


def _unwrap(values: list[Any]) -> list[Any]:
    if not all(isinstance(value, Optional) for value in _list(values)):
        raise TypeError
    return [value.value for value in values if value.present]


def _contains(whole: list[Any], parts: list[Any]) -> bool:
    if all(isinstance(value, str) for values in (_list(whole), _list(parts)) for value in values):
        return set(parts) <= set(whole)
    budget = Budget(COMPARISONS)
    return all(any(equal(value, part, budget) for value in whole) for part in parts)


def _intersects(first: list[Any], second: list[Any]) -> bool:
    if all(isinstance(value, str) for values in (_list(first), _list(second)) for value in values):
        return not set(first).isdisjoint(second)
    budget = Budget(COMPARISONS)
    return any(equal(value, part, budget) for value in first for part in second)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "lists.range": _range,
    "optional.unwrap": _unwrap,
    "sets.contains": _contains,
    "sets.intersects": _intersects,
    "sets.equivalent": lambda first, second: _contains(first, second) and _contains(second, first),
}
METHODS: dict[str, Callable[..., Any]] = {
    "isSorted": is_sorted,
    "sum": total,
    "min": lambda values: extreme(values, -1),
    "max": lambda values: extreme(values, 1),
    "distinct": _distinct,
    "flatten": _flatten,
    "reverse": lambda value: value[::-1],
    "slice": _slice,
    "sort": sort,
    "first": lambda values: _optional(values, 0),
    "last": lambda values: _optional(values, -1),
    "unwrapOpt": _unwrap,
}
