"""Defaults and nulls, as an API server processes them before it validates an object."""

from __future__ import annotations

from typing import Any

from vsr_compiler.verify.schema.cel import Budget
from vsr_compiler.verify.schema.node import Node

EXACT = 1 << 53
"""Largest integer up to which all integers are exact as doubles."""


def defaulted(node: Node, value: Any, budget: Budget) -> Any:  # noqa: ANN401 - JSON of any form
    """Return a copy of the value with the defaults of its schema.

    Fields that are null without being nullable are dropped or get their default. Numbers get the type of the schema,
    so that CEL rules compute with the right type.

    Raises:
        CostError: The budget is exhausted.
    """
    budget.spend(1)
    if isinstance(value, dict):
        return _object(node, value, budget)
    if isinstance(value, list):
        return value if node.items is None else [defaulted(node.items, item, budget) for item in value]
    if node.type == "number" and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= EXACT:
        return float(value)
    if node.type == "integer" and isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return int(value)
    return value


def _object(node: Node, value: dict[str, Any], budget: Budget) -> dict[str, Any]:
    budget.spend(len(node.defaults))
    result = {}
    for key, item in value.items():
        child = node.child(key)
        if child is None:
            result[key] = item
        elif item is not None or child.nullable or not child.type:
            result[key] = defaulted(child, item, budget)
    for key, item in node.defaults:
        if key not in result:
            child = node.child(key)
            result[key] = item if child is None else defaulted(child, item, budget)
    return result
