"""A policy's text as a tree that remembers how each value was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.syntax.comments import Comment, Places, comments, value_start

MAX_KEY = 1000
"""YAML ends a key on one line at 1024 characters."""


@dataclass(slots=True)
class Remark:
    """A comment on a line of its own. ``gap`` where a blank line stands above it."""

    text: str
    gap: bool = False


@dataclass(slots=True)
class Leaf:
    """A scalar or an alias. ``style`` is empty for a plain one, ``*`` for an alias, else what it begins with.

    ``raw`` is the value as written, without its anchor. ``start`` and ``end`` are offsets.
    """

    text: str
    style: str
    raw: str
    anchor: str
    start: int
    end: int


@dataclass(slots=True)
class Entry:
    """An item of a list, or a key and its value; with the comments above it and the one behind it."""

    key: Leaf | None
    value: Leaf | Branch
    before: list[Remark] = field(default_factory=list)
    after: str = ""
    gap: bool = False

    @property
    def start(self) -> int:
        """Where it begins; for an item, behind the dash."""
        return (self.key or self.value).start


@dataclass(slots=True)
class Branch:
    """A mapping or a list. ``column`` (from 0) is where its keys or dashes stand; ``tail`` are comments at its end."""

    mapping: bool
    flow: bool
    anchor: str
    start: int
    column: int
    end: int = 0
    entries: list[Entry] = field(default_factory=list)
    tail: list[Remark] = field(default_factory=list)


@dataclass(slots=True)
class Source:
    """A text, its tree and its comments. ``order_matters`` where an alias leads from one top-level key to another."""

    places: Places
    root: Branch
    comments: list[Comment]
    order_matters: bool


def grow(text: str, name: str) -> Source:
    """The tree of a text that ``load`` takes.

    Raises:
        CompileError: VSR103 where the document is no mapping, VSR005 where a key is too long.
    """
    events = list(YAML(typ="safe").parse(text))
    places = Places(text)
    builder = _Builder(text, places)
    for event in events:
        builder.feed(event)
    root = builder.root
    if not isinstance(root, Branch) or not root.mapping:
        place = Span(name, 1, 1)
        raise CompileError([Diagnostic("VSR103", "expected a mapping", place, "Write `key: value` lines below it.")])
    if builder.long_key is not None:
        place = Span(name, places.line(builder.long_key), 1)
        raise CompileError([Diagnostic("VSR005", f"a key is longer than {MAX_KEY} characters", place)])
    return Source(places, root, comments(text, places, events), _crosses(root))


class _Builder:
    """Turns parser events into a tree."""

    def __init__(self, text: str, places: Places) -> None:
        self.root: Leaf | Branch | None = None
        self.long_key: int | None = None
        self._text = text
        self._places = places
        self._stack: list[Branch] = []
        self._keys: list[Leaf | None] = []

    def feed(self, event: Any) -> None:  # noqa: ANN401 - ruamel's events carry no types
        """Take the parser's next event."""
        kind = type(event).__name__
        start, end = self._places.offset(event.start_mark), self._places.offset(event.end_mark)
        if kind == "ScalarEvent":
            begin = min(value_start(self._text, start), end) if event.anchor else start
            self._put(Leaf(event.value, event.style or "", self._text[begin:end], event.anchor or "", start, end))
        elif kind == "AliasEvent":
            self._put(Leaf(event.anchor, "*", f"*{event.anchor}", "", start, end))
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            branch = Branch(kind[0] == "M", bool(event.flow_style), event.anchor or "", start, event.start_mark.column)
            self._put(branch)
            self._stack.append(branch)
            self._keys.append(None)
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            branch = self._stack.pop()
            self._keys.pop()
            branch.end = end
            if branch.anchor and not branch.flow:
                begin = branch.entries[0].start
                column = begin - self._places.starts[self._places.line(begin) - 1]
                branch.column = column if branch.mapping else max(column - 2, 0)

    def _put(self, node: Leaf | Branch) -> None:
        if not self._stack:
            self.root = node
            return
        parent = self._stack[-1]
        key = self._keys[-1]
        if parent.mapping and key is None:
            assert isinstance(node, Leaf)  # noqa: S101 - `load` has refused every other key
            self._keys[-1] = node
            if max(len(node.raw), len(node.text)) > MAX_KEY:
                self.long_key = node.start
            return
        self._keys[-1] = None
        parent.entries.append(Entry(key, node))


def _crosses(root: Branch) -> bool:
    """Whether an alias refers to an anchor under another top-level key."""
    anchors: dict[str, int] = {}
    for index, entry in enumerate(root.entries):
        for node in _nodes(entry):
            if isinstance(node, Leaf) and node.style == "*":
                if anchors.get(node.text) != index:
                    return True
            elif node.anchor:
                anchors[node.anchor] = index
    return bool(root.anchor)


def _nodes(entry: Entry) -> list[Leaf | Branch]:
    """Everything below an entry, in file order."""
    found: list[Leaf | Branch] = [entry.key] if entry.key else []
    found.append(entry.value)
    if isinstance(entry.value, Branch):
        for child in entry.value.entries:
            found += _nodes(child)
    return found
