"""JSON Patch (RFC 6902): a short, deterministic difference between two objects, and its application."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from vsr_compiler.manifests.objects import Body

Operation = dict[str, Any]
"""``{"op": "add" | "remove" | "replace", "path": JSON pointer, "value": …}``; ``remove`` has no value."""
Path = tuple[str | int, ...]


class PatchError(ValueError):
    """The path of an operation does not exist."""


def diff(old: Body, new: Body) -> list[Operation]:
    """Return the operations that turn ``old`` into ``new``.

    A whole value is replaced if that is shorter than patching inside it. Operations are in the order of paths. List
    items are removed from the end to the beginning, so that indices stay valid.
    """
    return list(_value((), old, new))


def apply(body: Body, operations: list[Operation]) -> Body:
    """Return an object after a JSON Patch, as kustomize applies it.

    Raises:
        PatchError: A path does not exist, or ``add`` is beyond the end of a list.
    """
    result = copy.deepcopy(body)
    for operation in operations:
        *above, last = _steps(operation["path"])
        parent: Any = result
        for step in above:
            parent = _child(parent, step, operation)
        _change(parent, last, operation)
    return result


def pointer(path: Path) -> str:
    """Return a JSON pointer (RFC 6901)."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _value(path: Path, old: Any, new: Any) -> Iterator[Operation]:  # noqa: ANN401 - JSON of any form
    if _same(old, new):
        return
    inside = list(_inside(path, old, new)) if path or isinstance(old, dict) else []
    whole: Operation = {"op": "replace", "path": pointer(path), "value": new}
    if inside and (not path or _size(inside) < _size([whole])):
        yield from inside
    else:
        yield whole


def _inside(path: Path, old: Any, new: Any) -> Iterator[Operation]:  # noqa: ANN401 - as above
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in new:
                yield {"op": "remove", "path": pointer((*path, key))}
            elif key not in old:
                yield {"op": "add", "path": pointer((*path, key)), "value": new[key]}
            else:
                yield from _value((*path, key), old[key], new[key])
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(path, old, new)


def _items(path: Path, old: list[Any], new: list[Any]) -> Iterator[Operation]:
    """Yield the operations of a list: keep the common ends, patch items in place, then remove or add items."""
    shortest = min(len(old), len(new))
    start = 0
    while start < shortest and _same(old[start], new[start]):
        start += 1
    end = 0
    while end < shortest - start and _same(old[-1 - end], new[-1 - end]):
        end += 1
    before, after = old[start : len(old) - end], new[start : len(new) - end]
    both = min(len(before), len(after))
    for index in range(both):
        yield from _value((*path, start + index), before[index], after[index])
    for index in reversed(range(both, len(before))):
        yield {"op": "remove", "path": pointer((*path, start + index))}
    for index in range(both, len(after)):
        yield {"op": "add", "path": pointer((*path, start + index)), "value": after[index]}


def _same(left: Any, right: Any) -> bool:  # noqa: ANN401 - as above
    """Return whether two JSON values are equal; 1 and true are not."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(_same, left, right))
    return bool(left == right)


def _size(operations: list[Operation]) -> int:
    return len(json.dumps(operations, separators=(",", ":")))


def _steps(text: str) -> list[str]:
    if not text.startswith("/"):
        raise PatchError(f"the path {text!r} does not start at the root of the object")
    return [step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/")]


def _child(parent: Any, step: str, operation: Operation) -> Any:  # noqa: ANN401 - as above
    if isinstance(parent, dict) and step in parent:
        return parent[step]
    if isinstance(parent, list) and step.isdecimal() and int(step) < len(parent):
        return parent[int(step)]
    raise PatchError(f"the path {operation['path']!r} does not exist")


def _change(parent: Any, step: str, operation: Operation) -> None:  # noqa: ANN401 - as above
    value = copy.deepcopy(operation.get("value"))
    if operation["op"] == "add" and isinstance(parent, dict):
        parent[step] = value
    elif operation["op"] == "add" and isinstance(parent, list) and step.isdecimal() and int(step) <= len(parent):
        parent.insert(int(step), value)
    else:
        _child(parent, step, operation)
        key: Any = int(step) if isinstance(parent, list) else step
        if operation["op"] == "remove":
            del parent[key]
        else:
            parent[key] = value
