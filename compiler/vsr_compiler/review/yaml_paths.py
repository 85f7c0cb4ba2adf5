"""Paths in YAML documents: from a line, from and to text, and of all scalars."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.syntax import Document, Mapping, Node, Scalar

Path = tuple[str | int, ...]
_STEP = re.compile(r"\.?([A-Za-z0-9_-]+)|\[(\d+)\]|\[\"([^\"]*)\"\]")


def path_at_line(document: Document, line: int) -> Path | None:
    """Return the deepest path whose key or value is on a line; None for an empty line."""
    paths = [path for path, first, last in _lines(document.root, ()) if first <= line <= last]
    return max(paths, key=len, default=None)


def parse_path(text: str) -> Path | None:
    """Parse ``.spec.rules[0].name``; return None if it is not a path."""
    steps: list[str | int] = []
    at = 0
    for match in _STEP.finditer(text):
        if match.start() != at:
            return None
        steps.append(int(match[2]) if match[2] is not None else match[1] if match[1] is not None else match[3])
        at = match.end()
    return tuple(steps) if at == len(text) else None


def format_path(path: Path) -> str:
    """Return a path as text."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[A-Za-z0-9_-]+", step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


def scalars(node: Node, path: Path = ()) -> Iterator[tuple[Path, Scalar]]:
    """Yield every scalar below a node with its path."""
    if isinstance(node, Scalar):
        yield path, node
    elif isinstance(node, Mapping):
        for key, (_, child) in node.entries.items():
            yield from scalars(child, (*path, key))
    else:
        for index, child in enumerate(node.items):
            yield from scalars(child, (*path, index))


def _lines(node: Node, path: Path) -> Iterator[tuple[Path, int, int]]:
    """Yield each path with its first and last line; an entry spans its key and its value."""
    if isinstance(node, Mapping):
        for key, (span, child) in node.entries.items():
            yield (*path, key), span.line, max(span.line, _last(child))
            yield from _lines(child, (*path, key))
    elif not isinstance(node, Scalar):
        for index, child in enumerate(node.items):
            yield (*path, index), child.span.line, _last(child)
            yield from _lines(child, (*path, index))


def _last(node: Node) -> int:
    """Return the last line of a node. The parser reports the end of a block at the start of the next one."""
    if isinstance(node, Mapping):
        return max((_last(child) for _, child in node.entries.values()), default=node.span.line)
    if not isinstance(node, Scalar):
        return max((_last(child) for child in node.items), default=node.span.line)
    span = node.span
    return span.end_line - 1 if span.end_column <= 1 and span.end_line > span.line else span.end_line
