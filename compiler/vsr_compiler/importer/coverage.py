"""Coverage of a source: each of its values is read by the importer, or covered by a finding, or reported here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Span
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar


@dataclass(slots=True)
class Coverage:
    """The values that were read or reported, by identity. Their nodes are kept, so that no identity is used twice."""

    _seen: dict[int, Node] = field(default_factory=dict)

    def read(self, node: Scalar) -> None:
        """Remember that a value was read."""
        self._seen[id(node)] = node

    def cover(self, node: Node | None) -> None:
        """Remember that a finding says what became of all values of a node."""
        stack = [node] if node is not None else []
        done: set[int] = set()
        while stack:
            item = stack.pop()
            if id(item) in done:
                continue
            done.add(id(item))
            if isinstance(item, Scalar):
                self._seen[id(item)] = item
            else:
                stack += _below(item)

    def has(self, node: Node) -> bool:
        """Return whether a value was read or reported."""
        return id(node) in self._seen


_ACTIVE: ContextVar[Coverage | None] = ContextVar("coverage", default=None)


@contextmanager
def recording() -> Iterator[Coverage]:
    """Record which values of a source are read."""
    found = Coverage()
    token = _ACTIVE.set(found)
    try:
        yield found
    finally:
        _ACTIVE.reset(token)


def was_read(node: Scalar) -> None:
    """Record that a value was read, if somebody records."""
    active = _ACTIVE.get()
    if active is not None:
        active.read(node)


def covered(node: Node | None) -> None:
    """Record that a finding says what became of all values of a node, if somebody records."""
    active = _ACTIVE.get()
    if active is not None:
        active.cover(node)


Report = Callable[[str, Span], None]


def sweep(root: Node, coverage: Coverage, report: Report, stated: set[tuple[str, int, int]]) -> None:
    """Report every value that was neither read nor covered, once: at its key, or at that of a part nobody reads.

    Args:
        root: The source.
        coverage: What was read and covered. What is reported is added.
        report: Is called with the path and the place of the key.
        stated: The places of findings; a value at such a place is covered.
    """
    live: dict[int, tuple[bool, bool]] = {}
    _survey(root, coverage, stated, live)
    stack: list[tuple[Node, str, Span]] = [(root, "", root.span)]
    done: set[int] = set()
    while stack:
        node, path, span = stack.pop()
        read, open_ = live[id(node)]
        if not open_ or id(node) in done:
            continue
        done.add(id(node))
        if isinstance(node, Scalar) or (not read and path and not _SPLIT.fullmatch(path)):
            report(path or "a value", span)
            coverage.cover(node)
        elif isinstance(node, Mapping):
            stack += [(value, f"{path}.{key}".lstrip("."), at) for key, (at, value) in node.entries.items()]
        else:
            stack += [(value, f"{path}[{index}]", value.span) for index, value in enumerate(node.items)]


def without_indexes(path: str) -> str:
    """Return a path whose indexes are empty, such as ``models[].name``."""
    return re.sub(r"\[\d+\]", "[]", path)


_SPLIT = re.compile(r"(global(\.\w+){0,4}|metadata|spec(\.\w+)?|data)")
"""Parts of a source that are reported by what they have, because other reasons hold for each of it."""


def _survey(
    root: Node, coverage: Coverage, stated: set[tuple[str, int, int]], live: dict[int, tuple[bool, bool]]
) -> None:
    """Find for each node whether something in it was read, and whether something was not."""
    stack: list[tuple[Node, bool]] = [(root, False)]
    while stack:
        node, after = stack.pop()
        if isinstance(node, Scalar):
            seen = coverage.has(node) or (node.span.file, node.span.line, node.span.column) in stated
            empty = node.plain and node.text in {"", "~", "null", "Null", "NULL"}
            live[id(node)] = (seen, not seen and not empty)
        elif after:
            parts = [live[id(item)] for item in _below(node) if id(item) in live]
            live[id(node)] = (any(read for read, _ in parts), any(open_ for _, open_ in parts))
        elif id(node) not in live:
            live[id(node)] = (False, False)
            stack.append((node, True))
            stack += [(item, False) for item in _below(node)]


def _below(node: Mapping | object) -> list[Node]:
    if isinstance(node, Mapping):
        return [value for _, value in node.entries.values()]
    return list(getattr(node, "items", ()))
