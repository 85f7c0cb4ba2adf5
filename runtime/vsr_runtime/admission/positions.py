"""Lines and columns of a config's places, for the reasons why it is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vsr_runtime.errors import UserError
from vsr_runtime.files import compose

if TYPE_CHECKING:
    from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

    Node = MappingNode | ScalarNode | SequenceNode

_MERGE = "tag:yaml.org,2002:merge"
_MOST_MERGES = 20


def located(path: Path, reasons: Sequence[str]) -> str:
    """Join reasons into one line, each with the position of the place with which it begins.

    ``config.yaml:12:5: routing.decisions[0]: …; 14:3: …``. A place that an alias or a merge key brings has the position
    where it is written. A place that is missing has that of what should contain it.
    """
    try:
        root = compose(path)
    except UserError:
        root = None
    if root is None:
        return f"{path.name}: {'; '.join(reasons)}"
    return f"{path.name}:{'; '.join(_positioned(root, reason) for reason in reasons)}"


def with_position(path: Path, error: UserError, name: str = "config.yaml") -> UserError:
    """Return the error of a place in the config with its position; any other error as it is."""
    file, _, reason = str(error).partition(": ")
    return UserError(located(path, [reason])) if file == name else error


def _positioned(root: Node, reason: str) -> str:
    mark = _find(root, reason.partition(": ")[0]).start_mark
    return f"{mark.line + 1}:{mark.column + 1}: {reason}"


def _find(root: Node, place: str) -> Node:
    """Return the node of a place, or the last one on the way to it."""
    node = root
    at = 0
    while at < len(place):
        inner = _child(node, place, at)
        if inner is None:
            break
        node, at = inner
    return node


def _child(node: Node, place: str, at: int) -> tuple[Node, int] | None:
    """Return the node of the next step of a place, and where the rest begins. Keys may have dots and brackets."""
    if isinstance(node.value, str):
        return None
    index = re.compile(r"\[(\d+)\]").match(place, at)
    if index and node.id == "sequence":
        number = int(index[1])
        return (node.value[number], index.end()) if number < len(node.value) else None
    begin = at + (place[at] == ".")
    if node.id != "mapping":
        return None
    fitting = [
        (value, begin + len(key))
        for key, value in _entries(node)
        if place.startswith(key, begin) and place[begin + len(key) : begin + len(key) + 1] in ("", ".", "[")
    ]
    return max(fitting, key=lambda found: found[1], default=None)


def _entries(node: Node, merges: int = 0) -> list[tuple[str, Node]]:
    """Return the keys of a mapping with their values, own ones last, and those of merged mappings before them."""
    own: dict[str, Node] = {}
    merged: dict[str, Node] = {}
    for key, value in node.value:
        if key.tag == _MERGE or key.value == "<<":
            for one in reversed(value.value if value.id == "sequence" else [value]):
                if one.id == "mapping" and merges < _MOST_MERGES:
                    merged |= dict(_entries(one, merges + 1))
        elif isinstance(key.value, str):
            own[key.value] = value
    return list((merged | own).items())
