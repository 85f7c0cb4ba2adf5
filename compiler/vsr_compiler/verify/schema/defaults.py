"""What an API server makes of an object before it looks at it: defaults, and nulls that mean nothing."""

from __future__ import annotations

from typing import Any

from vsr_compiler.verify.schema.cel import Budget
from vsr_compiler.verify.schema.node import Node

EXACT = 1 << 53
"""Integers up to here are exact as doubles."""


def defaulted(node: Node, value: Any, budget: Budget) -> Any:  # noqa: ANN401 - JSON of any form
    """The value with its schema's defaults, a new one throughout where the schema reaches.

    Fields that are null but may not be are dropped, or get their default. Numbers become what the schema calls them,
    so that rules compute with the right type.

    Raises:
        CostError: The budget is spent.
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
    done = {}
    for key, item in value.items():
        child = node.child(key)
        if child is None:
            done[key] = item
        elif item is not None or child.nullable or not child.type:
            done[key] = defaulted(child, item, budget)
    for key, item in node.defaults:
        if key not in done:
            child = node.child(key)
            done[key] = item if child is None else defaulted(child, item, budget)
    return done
