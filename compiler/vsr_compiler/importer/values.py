"""Typed access to nodes of a source, which remembers what was read, so that the rest can be reported."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as MappingOf
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.diagnostics import Span
from vsr_compiler.importer.coverage import was_read
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar, Sequence

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUE = frozenset({"true", "yes", "on", "y"})
LARGEST = 1e18
"""No field has a number that is larger."""
_FALSE = frozenset({"false", "no", "off", "n"})


def is_null(node: Node | None) -> bool:
    """Return whether a value is absent or null."""
    return node is None or (isinstance(node, Scalar) and node.plain and node.text in _NULLS)


def text(node: Node | None) -> str:
    """Return a scalar as text, which counts as read; empty if it is absent, null or no scalar."""
    if not isinstance(node, Scalar) or is_null(node):
        return ""
    was_read(node)
    return node.text


def number(node: Node | None) -> float | None:
    """Return a scalar as a finite number; None if it is none."""
    try:
        found = float(text(node).replace("_", ""))
    except ValueError:
        return None
    return found if abs(found) < 1e18 else None  # noqa: PLR2004 - neither infinity nor a value that no field has


def integer(node: Node | None) -> int | None:
    """Return a scalar as a whole number; None if it is none."""
    found = number(node)
    return int(found) if found is not None and found.is_integer() else None


def boolean(node: Node | None) -> bool | None:
    """Return a scalar as a boolean; None if it is none."""
    word = text(node).lower()
    return True if word in _TRUE else False if word in _FALSE else None


def items(node: Node | None) -> list[Node]:
    """Return the items of a list; empty if it is none."""
    return node.items if isinstance(node, Sequence) else []


def texts(node: Node | None) -> list[str]:
    """Return the scalars of a list, or a scalar as a list of one."""
    if isinstance(node, Scalar):
        return [node.text] if text(node) else []
    return [found for item in items(node) if (found := text(item))]


def child(node: Node | None, *keys: str) -> Node | None:
    """Return the value at a path of keys; None if there is none."""
    for key in keys:
        if not isinstance(node, Mapping) or key not in node.entries:
            return None
        node = node.entries[key][1]
    return node


def make(value: Any, span: Span) -> Node:  # noqa: ANN401 - plain data
    """Return plain data as nodes, all at one place. Nodes in it stay as they are."""
    if isinstance(value, Scalar | Mapping | Sequence):
        return value
    if isinstance(value, MappingOf):
        entries = {str(key): (span, make(item, span)) for key, item in value.items() if item is not None}
        return Mapping(span, entries)
    if isinstance(value, list | tuple):
        return Sequence(span, [make(item, span) for item in value])
    if isinstance(value, bool):
        return Scalar("true" if value else "false", plain=True, span=span)
    return Scalar(str(value), not isinstance(value, str), span)


def plain(node: Node) -> Any:  # noqa: ANN401 - data of any form
    """Return a node as plain data: null, booleans and numbers if they are written so, and texts."""
    if isinstance(node, Mapping):
        return {key: plain(value) for key, (_, value) in node.entries.items()}
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    if node.plain and is_null(node):
        return None
    return _value(node) if node.plain else node.text


def _value(node: Scalar) -> bool | float | str:
    """Return a plain scalar as data. This is no reading of the source: what nobody else reads must be reported."""
    word = node.text.lower()
    if word in {"true", "false"}:
        return word == "true"
    try:
        found = float(word)
    except ValueError:
        return node.text
    if "_" in word or not abs(found) < LARGEST:
        return node.text
    return int(found) if found.is_integer() and not set(word) & {".", "e"} else found


@dataclass(slots=True)
class Fields:
    """A mapping of a source, and which of its keys were read."""

    node: Mapping
    where: str = ""
    taken: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, node: Node | None, where: str, span: Span) -> Fields:
        """Return the fields of a node; none if it is no mapping."""
        return cls(node if isinstance(node, Mapping) else Mapping(node.span if node is not None else span), where)

    @property
    def span(self) -> Span:
        """Where the mapping is."""
        return self.node.span

    def take(self, key: str) -> Node | None:
        """Return the value of a key, which counts as read."""
        self.taken.add(key)
        entry = self.node.entries.get(key)
        return None if entry is None or is_null(entry[1]) else entry[1]

    def at(self, key: str) -> Span:
        """Return the position of a key; that of the mapping without one."""
        entry = self.node.entries.get(key)
        return entry[0] if entry is not None else self.node.span

    def value_at(self, key: str) -> Span:
        """Return the position of a value; that of the mapping without one."""
        entry = self.node.entries.get(key)
        return entry[1].span if entry is not None else self.node.span

    def text(self, key: str) -> str:
        """Return a text; empty without one."""
        return text(self.take(key))

    def number(self, key: str) -> float | None:
        """Return a number."""
        return number(self.take(key))

    def integer(self, key: str) -> int | None:
        """Return a whole number."""
        return integer(self.take(key))

    def boolean(self, key: str) -> bool | None:
        """Return a boolean."""
        return boolean(self.take(key))

    def texts(self, key: str) -> list[str]:
        """Return a list of texts."""
        return texts(self.take(key))

    def items(self, key: str) -> list[Node]:
        """Return a list."""
        return items(self.take(key))

    def fields(self, key: str) -> Fields:
        """Return a mapping; an empty one without any."""
        return Fields.of(self.take(key), f"{self.where}.{key}".lstrip("."), self.at(key))

    def has(self, key: str) -> bool:
        """Return whether a key has a value, without reading it."""
        entry = self.node.entries.get(key)
        return entry is not None and not is_null(entry[1])

    def rest(self) -> Iterator[tuple[str, Span, Node]]:
        """Yield the keys that were not read and have a value."""
        for key, (span, value) in self.node.entries.items():
            if key not in self.taken and not is_null(value):
                yield key, span, value
