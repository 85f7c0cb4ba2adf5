"""The bounds that a schema sets: lengths, ranges, choices, and items that must differ."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from vsr_compiler.verify.manifest import text, texts
from vsr_compiler.verify.schema.node import Node

_RANGES = {"int32": (-(2**31), 2**31 - 1), "int64": (-(2**63), 2**63 - 1)}
_SIZES = (
    (str, "minLength", "maxLength", "characters"),
    (list, "minItems", "maxItems", "items"),
    (dict, "minProperties", "maxProperties", "entries"),
)
Found = Iterator[tuple[str, str]]


def problems(node: Node, value: Any) -> Found:  # noqa: ANN401 - JSON of any form
    """What is wrong with a value by itself, with a hint."""
    raw = node.raw
    choices = raw.get("enum")
    if isinstance(choices, list) and not any(_same(each, value) for each in choices):
        listed = ", ".join(f"`{each}`" for each in choices[:20])
        yield f"`{str(value)[:80]}` is none of its values", f"One of: {listed}."
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(raw, value)
    else:
        yield from _size(raw, value)


def _number(raw: dict[str, Any], value: float) -> Found:
    low, high = raw.get("minimum"), raw.get("maximum")
    form_low, form_high = _RANGES.get(text(raw.get("format")), (None, None))
    for bound, least in ((low, True), (high, False), (form_low, True), (form_high, False)):
        if isinstance(bound, bool) or not isinstance(bound, int | float):
            continue
        word = "exclusiveMinimum" if least else "exclusiveMaximum"
        beyond = value < bound if least else value > bound
        if beyond or (raw.get(word) is True and value == bound):
            yield f"{value} is too {'small' if least else 'large'}", f"{'At least' if least else 'At most'} {bound}."
            return
    step = raw.get("multipleOf")
    if isinstance(step, int | float) and not isinstance(step, bool) and step > 0 and value % step:
        yield f"{value} is no multiple of {step}", f"Write a multiple of {step}."


def _size(raw: dict[str, Any], value: Any) -> Found:  # noqa: ANN401 - JSON of any form
    for kind, least, most, what in _SIZES:
        if not isinstance(value, kind):
            continue
        low, high, size = raw.get(least), raw.get(most), len(value)
        if isinstance(low, int) and size < low:
            empty = "must not be empty" if low == 1 else f"has {size} {what}, fewer than {low}"
            yield empty, f"At least {low} {what}."
        if isinstance(high, int) and size > high:
            yield f"has {size} {what}, more than {high}", f"At most {high} {what}."


def _same(first: object, second: object) -> bool:
    return isinstance(first, bool) == isinstance(second, bool) and first == second


def repeated(node: Node, value: list[Any]) -> Iterator[tuple[int, str]]:
    """The items of a list that are there twice, of lists whose items must differ."""
    kind, keys = node.raw.get("x-kubernetes-list-type"), texts(node.raw.get("x-kubernetes-list-map-keys"))
    if kind not in {"set", "map"} and node.raw.get("uniqueItems") is not True:
        return
    seen: dict[str, int] = {}
    for number, item in enumerate(value):
        if kind == "map" and not isinstance(item, dict):
            continue
        part = {key: item.get(key) for key in keys} if kind == "map" else item
        name = json.dumps(part, sort_keys=True, default=str)
        if name in seen:
            same = ", ".join(f"{key} `{item.get(key)}`" for key in keys) if kind == "map" else f"`{str(item)[:80]}`"
            yield number, f"has the same {same} as item {seen[name]}" if kind == "map" else f"repeats {same}"
        seen.setdefault(name, number)
