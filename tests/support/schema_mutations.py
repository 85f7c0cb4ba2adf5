"""Objects that a definition takes, made from it, and single changes that an API server refuses."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from random import Random
from typing import Any

GONE = "<gone>"
Path = tuple[str | int, ...]
Mutation = tuple[Path, Any, str]
"""Where, the new value, and the word of the schema that it breaks."""
_WRONG: dict[str, tuple[Any, ...]] = {
    "string": (7, {"a": 1}, ["a"]),
    "integer": ("x", 1.5, {}, True),
    "number": ("x", {}),
    "boolean": ("yes", 1, {}),
    "array": ({}, "x", 3),
    "object": ("x", ["a"], 5),
}
_TEXTS = ("a", "/a", "10s", "1", "http", "a.example.com", "10.0.0.0/8", "A", "1h", "a/b")
_DEEPEST = 6
_LONGEST = 5_000


def made(node: dict[str, Any], random: Random, depth: int = 0) -> Any:
    """Return a value of a schema: its required fields, and some others."""
    if "default" in node or "enum" in node:
        return node.get("default", node.get("enum", [None])[0])
    kind = node.get("type")
    if kind == "array":
        return [made(node.get("items", {}), random, depth + 1)]
    if kind == "object":
        return _object(node, random, depth)
    if kind in {"integer", "number"}:
        return min(max(node.get("minimum", 1), 1), node.get("maximum", 80))
    if kind == "string":
        date = node.get("format") == "date-time"
        return "2026-01-01T00:00:00Z" if date else next((text for text in _TEXTS if _fits(node, text)), "a")
    other: Any = 80 if node.get("x-kubernetes-int-or-string") else {}
    return True if kind == "boolean" else other


def _object(node: dict[str, Any], random: Random, depth: int) -> dict[str, Any]:
    known = node.get("properties", {})
    others = sorted(known.keys() - set(node.get("required", ())))
    some = random.sample(others, min(len(others), random.choice((0, 1, 2, 3)))) if depth < _DEEPEST else []
    names = [*node.get("required", ()), *some]
    value = {name: made(known[name], random, depth + 1) for name in names if name in known}
    entries = node.get("additionalProperties")
    if node.get("minProperties", 0) > len(value) and isinstance(entries, dict):
        value["a"] = made(entries, random, depth + 1)
    return value


def _fits(node: dict[str, Any], text: str) -> bool:
    try:
        matches = re.search(node.get("pattern", ""), text) is not None
    except re.error:
        return True
    return matches and node.get("minLength", 0) <= len(text)


def mutations(node: dict[str, Any], value: Any, path: Path = ()) -> Iterator[Mutation]:
    """Return changes of a value, each of which breaks one word of its schema."""
    if node.get("x-kubernetes-preserve-unknown-fields"):
        return
    if node.get("x-kubernetes-int-or-string"):
        yield path, {"a": 1}, "type"
    for wrong in _WRONG.get(node.get("type", ""), ()):
        yield path, wrong, "type"
    yield from _scalars(node, path)
    if isinstance(value, list) and value:
        yield from _lists(node, value, path)
        for number, item in enumerate(value[:2]):
            yield from mutations(node.get("items", {}), item, (*path, number))
    if isinstance(value, dict) and node.get("type") == "object":
        yield from _fields(node, value, path)


def _fields(node: dict[str, Any], value: dict[str, Any], path: Path) -> Iterator[Mutation]:
    known, entries = node.get("properties", {}), node.get("additionalProperties")
    for name in node.get("required", ()):
        if name in value and "default" not in known.get(name, {}):
            yield (*path, name), GONE, "required"
    if known and not entries:
        yield (*path, "notAField"), 1, "unknown field"
    for name, item in value.items():
        inner = known.get(name) or entries
        if isinstance(inner, dict):
            yield from mutations(inner, item, (*path, name))


def _scalars(node: dict[str, Any], path: Path) -> Iterator[Mutation]:
    if "enum" in node:
        yield path, "NotOneOfThem", "enum"
    if "maximum" in node:
        yield path, node["maximum"] + 1, "maximum"
    if "minimum" in node:
        yield path, node["minimum"] - 1, "minimum"
    if node.get("type") != "string":
        return
    if node.get("maxLength", _LONGEST) < _LONGEST:
        yield path, "a" * (node["maxLength"] + 1), "maxLength"
    if node.get("minLength"):
        yield path, "", "minLength"
    if "pattern" in node:
        wrong = [text for text in ("!!! bad", "\u00e9", "-", " ") if not _fits({"pattern": node["pattern"]}, text)]
        yield from ((path, text, "pattern") for text in wrong[:1])


def _lists(node: dict[str, Any], value: list[Any], path: Path) -> Iterator[Mutation]:
    if node.get("minItems"):
        yield path, [], "minItems"
    if node.get("maxItems", _LONGEST) < 200:
        yield path, [copy.deepcopy(value[0]) for _ in range(node["maxItems"] + 1)], "maxItems"
    if node.get("x-kubernetes-list-type") in {"map", "set"}:
        yield path, [*value, copy.deepcopy(value[0])], "duplicate"


def applied(body: dict[str, Any], path: Path, value: Any) -> dict[str, Any]:
    """Return an object with one change."""
    result: Any = copy.deepcopy(body)
    node = result
    for step in path[:-1]:
        node = node[step]
    if value == GONE:
        del node[path[-1]]
    else:
        node[path[-1]] = value
    return dict(result)


def retyped(value: Any, path: Path = ()) -> Iterator[Mutation]:
    """Return changes that give each part of an object a type that it can never have."""
    if isinstance(value, dict):
        if path:
            yield path, ["a"], "type"
        for name, item in value.items():
            yield from retyped(item, (*path, name))
    elif isinstance(value, list):
        yield path, 3, "type"
        for number, item in enumerate(value):
            yield from retyped(item, (*path, number))
    elif value is not None:
        yield path, {"a": {"b": 1}}, "type"
