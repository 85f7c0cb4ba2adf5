"""Text to nodes: one pass over the YAML parser's events, bounded in depth and in number.

Events, not ruamel's own composer: a stack of ours cannot overflow, aliases are counted as they expand, and a duplicate
key is seen with both of its places.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar, Sequence

MAX_DEPTH = 40
MAX_NODES = 200_000

_BREAKS = re.compile("[\x85\u2028\u2029]|\r(?!\n)")

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file: its name, its text for excerpts, and its root node."""

    name: str
    text: str
    root: Node

    def node(self, path: Path) -> Node | None:
        """The node at a path of keys and indices; None where there is none."""
        node: Node | None = self.root
        for step in path:
            if isinstance(node, Mapping) and str(step) in node.entries:
                node = node.entries[str(step)][1]
            elif isinstance(node, Sequence) and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
            else:
                return None
        return node

    def span(self, path: Path, *, key: bool = False) -> Span:
        """Where a path stands. With ``key``, the place of the key instead of the value.

        A path that leads nowhere gets the place of its nearest ancestor that is there.
        """
        while path:
            node = self.node(path)
            if node is not None:
                parent = self.node(path[:-1])
                if key and isinstance(parent, Mapping):
                    return parent.entries[str(path[-1])][0]
                return node.span
            path, key = path[:-1], True
        return self.root.span


def load(text: str, name: str) -> Document:
    """Parse one YAML document.

    Raises:
        CompileError: VSR002, VSR003, VSR005, VSR006, VSR007 or VSR008, all duplicate keys at once.
    """
    if found := _BREAKS.search(text):
        raise CompileError([_odd_break(found, text, name)])
    builder = _Builder(name)
    try:
        for event in YAML(typ="safe").parse(text):
            builder.feed(event)
    except YAMLError as error:
        raise CompileError([_syntax(error, text, name)]) from None
    if builder.problems:
        raise CompileError(builder.problems)
    if builder.root is None:
        hint = "Start with `vsr-compile init`, or see policies/quickstart.yaml."
        raise CompileError([Diagnostic("VSR006", "the file holds no document", Span(name, 1, 1), hint)])
    return Document(name, text, builder.root)


class _Builder:
    """Turns parser events into nodes."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.root: Node | None = None
        self.problems: list[Diagnostic] = []
        self._stack: list[Mapping | Sequence] = []
        self._keys: list[Scalar | None] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._open_anchors: list[tuple[str, int] | None] = []
        self._count = 0
        self._documents = 0

    def feed(self, event: Any) -> None:  # noqa: ANN401 - ruamel's events carry no types
        """Take the parser's next event."""
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._count_one(event)
            node = Scalar(event.value, not event.style, self._span(event))
            self._check_tag(event, node.span)
            if event.anchor:
                self._anchors[event.anchor] = (node, 1)
            self._place(node)
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._open(event, Mapping if kind[0] == "M" else Sequence)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            self._close(event)
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind == "DocumentStartEvent":
            self._documents += 1
            if self._documents > 1:
                hint = "One file holds one policy: put what follows into a file of its own."
                raise CompileError([Diagnostic("VSR006", "a second document begins here", self._span(event), hint)])

    def _open(self, event: Any, kind: type[Mapping | Sequence]) -> None:  # noqa: ANN401 - as above
        self._count_one(event)
        if len(self._stack) >= MAX_DEPTH:
            message = f"nested deeper than {MAX_DEPTH} levels"
            raise CompileError([Diagnostic("VSR005", message, self._span(event), "No policy needs that; flatten it.")])
        node = kind(self._span(event))
        self._check_tag(event, node.span)
        self._place(node)
        self._stack.append(node)
        self._keys.append(None)
        self._open_anchors.append((event.anchor, self._count) if event.anchor else None)

    def _close(self, event: Any) -> None:  # noqa: ANN401 - as above
        node = self._stack.pop()
        self._keys.pop()
        end = event.end_mark
        begin = node.span
        node.span = Span(self.name, begin.line, begin.column, end.line + 1, end.column + 1)
        if anchor := self._open_anchors.pop():
            self._anchors[anchor[0]] = (node, self._count - anchor[1] + 1)

    def _alias(self, event: Any) -> None:  # noqa: ANN401 - as above
        span = self._span(event)
        if event.anchor not in self._anchors:
            message = f"`*{event.anchor}` refers to no anchor that ends before it"
            raise CompileError([Diagnostic("VSR002", message, span, f"Define `&{event.anchor}` first.")])
        node, weight = self._anchors[event.anchor]
        self._count += weight - 1
        self._count_one(event)
        self._place(node, span)

    def _place(self, node: Node, alias: Span | None = None) -> None:
        """Put a finished or just opened node where it belongs."""
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
            return
        key = self._keys[-1]
        if key is None:
            self._keys[-1] = self._key(node, alias or node.span)
            return
        self._keys[-1] = None
        if key.text in parent.entries:
            first = parent.entries[key.text][0]
            hint = f"It stands in line {first.line} already; keep one of the two."
            self.problems.append(Diagnostic("VSR003", f"the key `{key.text}` is given twice", key.span, hint))
        else:
            parent.entries[key.text] = (key.span, node)

    def _key(self, node: Node, span: Span) -> Scalar:
        if not isinstance(node, Scalar):
            raise CompileError([Diagnostic("VSR002", "a key must be text", span, "Quote it if it is meant as text.")])
        if node.text == "<<" and node.plain:
            hint = "Write the keys out where they hold; an alias `*name` may stand for a whole value."
            raise CompileError([Diagnostic("VSR008", "merge keys (`<<`) are not used in policies", span, hint)])
        return Scalar(node.text, node.plain, span)

    def _check_tag(self, event: Any, span: Span) -> None:  # noqa: ANN401 - as above
        tag = event.tag
        if tag is not None and str(tag):
            hint = "Remove the tag; the schema knows each value's type."
            raise CompileError([Diagnostic("VSR008", f"the tag `{tag}` is not used in policies", span, hint)])

    def _count_one(self, event: Any) -> None:  # noqa: ANN401 - as above
        self._count += 1
        if self._count > MAX_NODES:
            message = f"more than {MAX_NODES} values after its aliases are expanded"
            raise CompileError([Diagnostic("VSR005", message, self._span(event))])

    def _span(self, event: Any) -> Span:  # noqa: ANN401 - as above
        start, end = event.start_mark, event.end_mark
        return Span(self.name, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def _syntax(error: YAMLError, text: str, name: str) -> Diagnostic:
    """What the parser refuses, with its place and in words that help."""
    lines = text.split("\n")
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else _offset(error, text)
    problem = error.problem if isinstance(error, MarkedYAMLError) and error.problem else getattr(error, "reason", "")
    # The scanner notices an unclosed bracket or a missing colon only on a later line; the context is where it began.
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    indent = source[: len(source) - len(source.lstrip())]
    if "\t" in indent:
        column = indent.index("\t") + 1
        return Diagnostic("VSR007", "a tab indents this line", Span(name, line, column), "Indent by two spaces.")
    context = getattr(error, "context_mark", None)
    hint = "Check quotes, brackets, colons and indentation."
    if problem == "found unexpected ':'":
        hint = "Inside braces and brackets, text that holds a colon must be quoted."
    if context is not None and context.line + 1 != line:
        hint = (
            f"What begins in line {context.line + 1} is not finished here: check its quotes, brackets and indentation."
        )
    if (last := source[column - 1 : column]) in {"}", "]"}:
        hint = f"This `{last}` does not close what was opened last: take it out, or mend the bracket before it."
    return Diagnostic("VSR002", f"not valid YAML: {problem or 'cannot be read'}", Span(name, line, column), hint)


def _odd_break(found: re.Match[str], text: str, name: str) -> Diagnostic:
    """A character that ends a line in YAML 1.1 and not in 1.2 would make two readers see two policies."""
    before = text[: found.start()]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    message = f"not valid YAML: U+{ord(found[0]):04X} ends a line for some readers and not for others"
    hint = "Replace it by a line feed or a blank."
    return Diagnostic("VSR002", message, Span(name, line, column), hint)


def _offset(error: YAMLError, text: str) -> tuple[int, int]:
    """Line and column of an error that knows only its offset, such as a control character."""
    position = min(int(getattr(error, "position", 0) or 0), len(text))
    before = text[:position]
    return before.count("\n") + 1, position - (before.rfind("\n") + 1) + 1
