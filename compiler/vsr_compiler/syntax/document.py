"""Text to nodes with spans, bounded in depth and in number of values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from ruamel.yaml.error import YAMLError

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.syntax.nodes import Mapping, Node, Scalar, Sequence
from vsr_compiler.yaml_reader import Composer, Event, Frame, Values, error_position, error_problem

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
        """Return the node at a path of keys and indices; None if there is none."""
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
        """Return the position of the value at a path, or with ``key`` of its key.

        A path without a node has the position of its nearest existing ancestor.
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
    composer = _NodeComposer(name, Values(MAX_NODES), MAX_DEPTH)
    try:
        for _ in composer.documents(text):
            pass
    except YAMLError as error:
        raise CompileError([_syntax(error, text, name)]) from None
    if composer.duplicates:
        raise CompileError(composer.duplicates)
    if composer.root is None:
        hint = "Start with `vsr-compile init`."
        raise CompileError([Diagnostic("VSR006", "the file contains no document", Span(name, 1, 1), hint)])
    return Document(name, text, composer.root)


class _NodeComposer(Composer[Node, Scalar]):
    """Composes nodes with spans from a single document without tags and merge keys."""

    def __init__(self, name: str, budget: Values, max_depth: int) -> None:
        super().__init__(name, budget, max_depth)
        self.duplicates: list[Diagnostic] = []
        self._documents = 0

    def start_document(self, event: Event) -> None:
        """Refuse a second document."""
        self._documents += 1
        if self._documents > 1:
            hint = "Move it to a file of its own. A file contains exactly one policy."
            raise CompileError([Diagnostic("VSR006", "a second document begins here", self.span(event), hint)])

    def scalar(self, event: Event) -> Scalar:
        """Return a scalar node."""
        node = Scalar(event.value, not event.style, self.span(event))
        self._check_tag(event, node.span)
        return node

    def collection(self, event: Event, *, mapping: bool) -> Mapping | Sequence:
        """Return an empty node; its span ends with it."""
        node = Mapping(self.span(event)) if mapping else Sequence(self.span(event))
        self._check_tag(event, node.span)
        return node

    def close(self, frame: Frame[Node, Scalar], event: Event) -> None:
        """Extend the node's span to its end."""
        node, end = frame.value, event.end_mark
        if not isinstance(node, Scalar):
            node.span = Span(self.name, node.span.line, node.span.column, end.line + 1, end.column + 1)

    def item(self, frame: Frame[Node, Scalar], value: Node) -> None:
        """Append an item."""
        if isinstance(frame.value, Sequence):
            frame.value.items.append(value)

    def entry(self, frame: Frame[Node, Scalar], key: Scalar, value: Node, event: Event) -> None:  # noqa: ARG002
        """Add an entry; collect duplicate keys."""
        if not isinstance(frame.value, Mapping):
            return
        entries = frame.value.entries
        if key.text in entries:
            hint = f"The first is in line {entries[key.text][0].line}. Remove one of them."
            self.duplicates.append(Diagnostic("VSR003", f"duplicate key `{key.text}`", key.span, hint))
        else:
            entries[key.text] = (key.span, value)

    def key(self, value: Node, event: Event) -> Scalar:
        """Return a key, which must be text and no merge key."""
        span = self.span(event)
        if not isinstance(value, Scalar):
            raise CompileError(
                [Diagnostic("VSR002", "a key must be a scalar", span, "Quote it, or write the keys as a mapping.")]
            )
        if value.text == "<<" and value.plain:
            hint = "Write the keys out. An alias `*name` may only stand for a whole value."
            raise CompileError([Diagnostic("VSR008", "merge keys (`<<`) are not supported", span, hint)])
        return Scalar(value.text, value.plain, span)

    def over_depth(self, event: Event) -> NoReturn:
        """Raise VSR005."""
        message = f"nested deeper than {MAX_DEPTH} levels"
        raise CompileError([Diagnostic("VSR005", message, self.span(event), "Simplify the structure.")])

    def over_budget(self, event: Event) -> NoReturn:
        """Raise VSR005."""
        message = f"more than {MAX_NODES} values after its aliases are expanded"
        raise CompileError([Diagnostic("VSR005", message, self.span(event))])

    def _check_tag(self, event: Event, span: Span) -> None:
        if event.tag is not None and str(event.tag):
            hint = "Remove the tag. The schema defines the type of each value."
            raise CompileError([Diagnostic("VSR008", f"the tag `{event.tag}` is not supported", span, hint)])


def _syntax(error: YAMLError, text: str, name: str) -> Diagnostic:
    """Return a syntax error with its position and a hint."""
    lines = text.split("\n")
    line, column = error_position(error, text)
    problem = error_problem(error)
    # The scanner reports an unclosed bracket or a missing colon on a later line; the context is where it began.
    source = lines[line - 1] if 0 < line <= len(lines) else ""
    indent = source[: len(source) - len(source.lstrip())]
    if "\t" in indent:
        column = indent.index("\t") + 1
        return Diagnostic("VSR007", "a tab indents this line", Span(name, line, column), "Indent with two spaces.")
    context = getattr(error, "context_mark", None)
    hint = "Check quotes, brackets, colons and indentation."
    if problem == "found unexpected ':'":
        hint = "Quote text that contains a colon inside braces and brackets."
    if context is not None and context.line + 1 != line:
        hint = f"Complete the value that begins in line {context.line + 1}: check quotes, brackets and indentation."
    if (last := source[column - 1 : column]) in {"}", "]"}:
        hint = f"This `{last}` does not match the last open bracket. Remove it, or fix the bracket before it."
    return Diagnostic("VSR002", f"not valid YAML: {problem}", Span(name, line, column), hint)


def _odd_break(found: re.Match[str], text: str, name: str) -> Diagnostic:
    """Return the finding for a character that is a line break in YAML 1.1 only, so that readers would disagree."""
    before = text[: found.start()]
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
    message = f"not valid YAML: U+{ord(found[0]):04X} is a line break for some readers and not for others"
    hint = "Replace it with a line feed or a space."
    return Diagnostic("VSR002", message, Span(name, line, column), hint)
