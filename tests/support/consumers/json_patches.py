"""JSON Patch with a JSONPath, as an EnvoyPatchPolicy applies it to a resource of Envoy's.

Envoy Gateway turns each match of `jsonPath` into a JSON pointer, appends `path`, and applies the operation there. An
operation of which any place does not exist changes nothing.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

Body = dict[str, Any]
Steps = tuple[str | int, ...]
_TOKEN = re.compile(
    r"\.\.(?P<deep>[A-Za-z_][\w-]*)|\.(?P<child>[A-Za-z_][\w-]*)|\[(?P<index>\d+)\]|\[(?P<every>\*)\]"
    r"""|\[(?P<quoted>'[^']*'|"[^"]*")\]|\[\?\(?@\.(?P<field>[\w.-]+)\s*==\s*(?P<value>'[^']*'|"[^"]*")\)?\]"""
)


class PatchFailedError(Exception):
    """The operation names a place that does not exist."""


def matches(document: object, expression: str) -> list[Steps]:
    """Return where a JSONPath leads: names, indices, `..name`, `[*]` and `[?(@.name=='value')]`."""
    if not expression.startswith("$"):
        raise ValueError(f"a JSONPath begins with $: {expression}")
    places: list[tuple[Steps, Any]] = [((), document)]
    position = 1
    while position < len(expression):
        token = _TOKEN.match(expression, position)
        if token is None:
            raise ValueError(f"not understood: {expression[position:]}")
        places = [found for place in places for found in _step(place, token)]
        position = token.end()
    return [steps for steps, _ in places]


def applied(document: Body, operation: Body) -> Body:
    """Return the document after one operation of an EnvoyPatchPolicy.

    Raises:
        PatchFailedError: a place does not exist, or the JSONPath matches nothing.
    """
    relative = tuple(step.replace("~1", "/").replace("~0", "~") for step in operation.get("path", "").split("/")[1:])
    bases: list[Steps] = [()]
    if "jsonPath" in operation:
        bases = matches(document, operation["jsonPath"])
        if not bases:
            raise PatchFailedError(f"{operation['jsonPath']} matches nothing")
    result = copy.deepcopy(document)
    for base in bases:
        _change(result, (*base, *relative), operation)
    return result


def _step(place: tuple[Steps, Any], token: re.Match[str]) -> Iterator[tuple[Steps, Any]]:
    steps, value = place
    if token["deep"]:
        for deeper, inner in _everything(steps, value):
            if isinstance(inner, dict) and token["deep"] in inner:
                yield (*deeper, token["deep"]), inner[token["deep"]]
        return
    name = token["child"] or (token["quoted"] or "")[1:-1]
    if name:
        if isinstance(value, dict) and name in value:
            yield (*steps, name), value[name]
    elif token["index"]:
        if isinstance(value, list) and int(token["index"]) < len(value):
            yield (*steps, int(token["index"])), value[int(token["index"])]
    else:
        for key, inner in _children(value):
            if token["every"] or _equal(inner, token["field"].split("."), token["value"][1:-1]):
                yield (*steps, key), inner


def _equal(value: object, fields: list[str], wanted: str) -> bool:
    for field in fields:
        if not isinstance(value, dict):
            return False
        value = value.get(field)
    return value == wanted


def _children(value: object) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _everything(steps: Steps, value: object) -> Iterator[tuple[Steps, Any]]:
    yield steps, value
    for key, inner in _children(value):
        yield from _everything((*steps, key), inner)


def _change(document: Body, steps: Steps, operation: Body) -> None:
    if not steps:
        if operation["op"] != "add":
            raise PatchFailedError("the whole resource can only be added")
        return
    *above, last = steps
    parent: Any = document
    for step in above:
        parent = _child(parent, step)
    value = copy.deepcopy(operation.get("value"))
    adds = operation["op"] == "add"
    if isinstance(parent, list):
        index = len(parent) if last == "-" else int(last)
        if index > len(parent) or (index == len(parent) and not adds):
            raise PatchFailedError(f"{steps} is beyond the end")
        parent[index : index if adds else index + 1] = [] if operation["op"] == "remove" else [value]
    elif isinstance(parent, dict):
        if not adds and last not in parent:
            raise PatchFailedError(f"{steps} does not exist")
        if operation["op"] == "remove":
            del parent[last]
        else:
            parent[last] = value
    else:
        raise PatchFailedError(f"{steps} does not exist")


def _child(parent: object, step: str | int) -> Any:
    if isinstance(parent, dict) and step in parent:
        return parent[step]
    if isinstance(parent, list) and str(step).isdecimal() and int(step) < len(parent):
        return parent[int(step)]
    raise PatchFailedError(f"{step} does not exist")
