"""Documents inside a text of a source, such as a ConfigMap's, with positions in the source."""

from __future__ import annotations

from dataclasses import replace

from vsr_compiler.diagnostics import CompileError, Span
from vsr_compiler.importer.sources import Part, documents
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar, Sequence
from vsr_compiler.yaml_reader import Values

MAX_NODES = 100_000


def inside(value: Scalar, part: Part) -> list[Node]:
    """Return the documents of a text. Positions of a literal block are exact; others are that of the text.

    Raises:
        CompileError: VSR002 or VSR005, at the place of the text.
    """
    lines = part.text.split("\n")
    row = lines[value.span.line - 1] if 0 < value.span.line <= len(lines) else ""
    literal = row[value.span.column - 1 : value.span.column] == "|"
    shift = _Shift(value.span, lines) if literal else None
    try:
        found = documents(value.text, part.file, Values(MAX_NODES))
    except CompileError as error:
        moved = [replace(item, span=shift.span(item.span) if shift else value.span) for item in error.diagnostics]
        raise CompileError(moved) from None
    return [_moved(node, shift, value.span, {}) for node, _ in found]


class _Shift:
    """Moves positions in a literal block to positions in its file."""

    def __init__(self, span: Span, lines: list[str]) -> None:
        self.line = span.line
        self.file = span.file
        below = next((line for line in lines[span.line :] if line.strip()), "")
        self.indent = len(below) - len(below.lstrip(" "))

    def span(self, inner: Span) -> Span:
        """Return the position in the file."""
        if not inner.line:
            return Span(self.file, self.line, 1)
        return Span(
            self.file,
            inner.line + self.line,
            inner.column + self.indent,
            inner.end_line + self.line if inner.end_line else 0,
            inner.end_column + self.indent if inner.end_column else 0,
        )


def _moved(node: Node, shift: _Shift | None, span: Span, seen: dict[int, Node]) -> Node:
    if id(node) in seen:
        return seen[id(node)]
    own = shift.span(node.span) if shift is not None else span
    if isinstance(node, Scalar):
        return Scalar(node.text, node.plain, own)
    if isinstance(node, Sequence):
        copy = Sequence(own)
        seen[id(node)] = copy
        copy.items = [_moved(item, shift, span, seen) for item in node.items]
        return copy
    mapping = Mapping(own)
    seen[id(node)] = mapping
    for key, (at, value) in node.entries.items():
        mapping.entries[key] = (shift.span(at) if shift is not None else span, _moved(value, shift, span, seen))
    return mapping
