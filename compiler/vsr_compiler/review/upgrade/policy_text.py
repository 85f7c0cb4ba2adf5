"""The policy's text with other releases, with its comments: an edit of one place, shown as a difference."""

from __future__ import annotations

import difflib
import re

from vsr_compiler.review.upgrade.wanted import Versions
from vsr_compiler.syntax import Document, Mapping, Node, Scalar
from vsr_compiler.syntax.document import Path

_KEY = "versions"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def edited(document: Document, versions: Versions, environment: str | None) -> str | None:
    """Return the text with the releases; None if its form leaves no simple place for them."""
    parent: Path = ("gateway",) if environment is None else ("environments", environment)
    value = _written(versions)
    if value is None:
        return None
    lines = document.text.splitlines(keepends=True)
    node = document.node((*parent, _KEY))
    if node is not None:
        return _replaced(lines, document, (*parent, _KEY), node, value)
    owner = document.node(parent)
    if isinstance(owner, Mapping) and owner.entries:
        return _inserted(lines, owner, value)
    root = document.root
    if owner is None and environment is None and isinstance(root, Mapping) and "router" in root.entries:
        if _is_flow(lines, root):
            return None
        span, router = root.entries["router"]
        after = max(span.line, _last(router))
        indent = " " * (span.column - 1)
        return "".join([*_ended(lines[:after]), f"{indent}gateway: {{{_KEY}: {value}}}\n", *lines[after:]])
    return None


def difference(old: str, new: str, name: str) -> str:
    """Return the difference of two texts of a file, as of ``diff -u``."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    lines = difflib.unified_diff(_ended(before), _ended(after), name, name, n=2)
    return "".join(lines)


def _written(versions: Versions) -> str | None:
    words = [versions] if isinstance(versions, str) else [word for item in versions.items() for word in item]
    if not all(_PLAIN.fullmatch(word) for word in words):
        return None
    if isinstance(versions, str):
        return versions
    # A release of two numbers would be read as a number by other tools.
    return "{" + ", ".join(f'{name}: "{release}"' for name, release in versions.items()) + "}"


def _ended(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1] if lines[-1].endswith("\n") else f"{lines[-1]}\n"] if lines else []


def _replaced(lines: list[str], document: Document, path: Path, node: Node, value: str) -> str:
    key = document.span(path, key=True)
    span = node.span
    if isinstance(node, Scalar) or (span.line == key.line and _is_flow(lines, node)):
        first, last = lines[span.line - 1], lines[span.end_line - 1]
        changed = f"{first[: span.column - 1]}{value}{last[span.end_column - 1 :]}"
        return "".join([*lines[: span.line - 1], changed, *lines[span.end_line :]])
    head = lines[key.line - 1][: key.column - 1]
    return "".join([*lines[: key.line - 1], f"{head}{_KEY}: {value}\n", *lines[max(key.line, _last(node)) :]])


def _inserted(lines: list[str], owner: Mapping, value: str) -> str:
    first = next(iter(owner.entries.values()))[0]
    row = lines[first.line - 1]
    if _is_flow(lines, owner):
        changed = f"{row[: first.column - 1]}{_KEY}: {value}, {row[first.column - 1 :]}"
        return "".join([*lines[: first.line - 1], changed, *lines[first.line :]])
    return "".join([*lines[: first.line - 1], f"{' ' * (first.column - 1)}{_KEY}: {value}\n", *lines[first.line - 1 :]])


def _is_flow(lines: list[str], node: Node) -> bool:
    span = node.span
    return lines[span.line - 1][span.column - 1 : span.column] in {"{", "["}


def _last(node: Node) -> int:
    """Return the last line of a node. The end of a block is at the start of what follows it."""
    if isinstance(node, Mapping) and node.entries:
        return max(_last(child) for _, child in node.entries.values())
    if not isinstance(node, Scalar) and not isinstance(node, Mapping) and node.items:
        return max(_last(child) for child in node.items)
    span = node.span
    return span.end_line - 1 if span.end_column <= 1 and span.end_line > span.line else span.end_line
