"""A YAML text as a tree that keeps how each value is written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NoReturn

from ruamel.yaml import YAML

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.syntax.comments import Comment, Places, comments, value_start
from vsr_compiler.syntax.document import MAX_DEPTH, MAX_NODES
from vsr_compiler.yaml_reader import Composer, Event, Frame, Values

MAX_KEY = 1000
"""YAML ends a key on one line at 1024 characters."""


@dataclass(slots=True)
class Remark:
    """A comment on a line of its own. ``gap`` if there is a blank line above it; ``offset`` is its place."""

    text: str
    gap: bool = False
    offset: int = -1


@dataclass(slots=True)
class Leaf:
    """A scalar or an alias. ``style`` is empty for a plain one, ``*`` for an alias, else its first character.

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
    """An item of a list, or a key and its value; with the comments above it and the one after it."""

    key: Leaf | None
    value: Leaf | Branch
    before: list[Remark] = field(default_factory=list)
    after: str = ""
    gap: bool = False

    @property
    def start(self) -> int:
        """The offset of its beginning; for an item, after the dash."""
        return (self.key or self.value).start


@dataclass(slots=True)
class Branch:
    """A mapping or a list. ``column`` (from 0) is that of its keys or dashes; ``tail`` are comments at its end."""

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
    """A text, its tree and its comments. ``order_matters``: an alias refers to another top-level section."""

    places: Places
    root: Branch
    comments: list[Comment]
    order_matters: bool


def grow(text: str, name: str) -> Source:
    """Return the tree of a text that ``load`` accepts.

    Raises:
        CompileError: VSR103: the document is not a mapping. VSR005: a key is too long.
    """
    places = Places(text)
    composer = _TreeComposer(places, name)
    events = list(YAML(typ="safe").parse(text))
    for event in events:
        composer.feed(event)
    root = composer.root
    if not isinstance(root, Branch) or not root.mapping:
        place = Span(name, 1, 1)
        raise CompileError([Diagnostic("VSR103", "expected a mapping", place, "Write `key: value` lines below it.")])
    if composer.long_key is not None:
        place = Span(name, places.line(composer.long_key), 1)
        raise CompileError([Diagnostic("VSR005", f"a key is longer than {MAX_KEY} characters", place)])
    return Source(places, root, comments(text, places, events), _crosses(root))


class _TreeComposer(Composer[Leaf | Branch, Leaf]):
    """Composes a tree that keeps how each value is written. Aliases stay aliases."""

    def __init__(self, places: Places, name: str) -> None:
        super().__init__(name, Values(MAX_NODES), MAX_DEPTH)
        self.long_key: int | None = None
        self._places = places

    def scalar(self, event: Event) -> Leaf:
        """Return a leaf with its value as written."""
        text, start, end = self._places.text, *self._range(event)
        begin = min(value_start(text, start, event.anchor), end)
        return Leaf(event.value, event.style or "", text[begin:end], event.anchor or "", start, end)

    def alias(self, event: Event, value: Leaf | Branch) -> Leaf:  # noqa: ARG002 - the alias is kept
        """Return a leaf with the alias itself."""
        return Leaf(event.anchor, "*", f"*{event.anchor}", "", *self._range(event))

    def collection(self, event: Event, *, mapping: bool) -> Branch:
        """Return an empty branch."""
        start, _ = self._range(event)
        return Branch(mapping, bool(event.flow_style), event.anchor or "", start, event.start_mark.column)

    def close(self, frame: Frame[Leaf | Branch, Leaf], event: Event) -> None:
        """Set the end of a branch, and its column where an anchor is before it."""
        branch = frame.value
        if not isinstance(branch, Branch):
            return
        branch.end = self._range(event)[1]
        if branch.anchor and not branch.flow:
            begin = branch.entries[0].start
            column = begin - self._places.starts[self._places.line(begin) - 1]
            branch.column = column if branch.mapping else max(column - 2, 0)

    def key(self, value: Leaf | Branch, event: Event) -> Leaf:  # noqa: ARG002 - the leaf knows its place
        """Return a key; remember one that is too long."""
        assert isinstance(value, Leaf)  # noqa: S101 - `load` has refused every other key
        if max(len(value.raw), len(value.text)) > MAX_KEY:
            self.long_key = value.start
        return value

    def item(self, frame: Frame[Leaf | Branch, Leaf], value: Leaf | Branch) -> None:
        """Append an item."""
        self._append(frame, Entry(None, value))

    def entry(self, frame: Frame[Leaf | Branch, Leaf], key: Leaf, value: Leaf | Branch, event: Event) -> None:  # noqa: ARG002
        """Append an entry."""
        self._append(frame, Entry(key, value))

    def over_depth(self, event: Event) -> NoReturn:
        """Raise VSR005; `load` has raised it before."""
        raise CompileError([Diagnostic("VSR005", f"nested deeper than {MAX_DEPTH} levels", self.span(event))])

    def over_budget(self, event: Event) -> NoReturn:
        """Raise VSR005; `load` has raised it before."""
        raise CompileError([Diagnostic("VSR005", f"more than {MAX_NODES} values", self.span(event))])

    def _append(self, frame: Frame[Leaf | Branch, Leaf], entry: Entry) -> None:
        if isinstance(frame.value, Branch):
            frame.value.entries.append(entry)

    def _range(self, event: Event) -> tuple[int, int]:
        return self._places.offset(event.start_mark), self._places.offset(event.end_mark)


def _crosses(root: Branch) -> bool:
    """Return whether an alias refers to an anchor under another top-level key."""
    anchors: dict[str, int] = {}
    for index, entry in enumerate(root.entries):
        for node in _nodes(entry):
            if isinstance(node, Leaf) and node.style == "*":
                if anchors.get(node.text) != index:
                    return True
            elif node.anchor:
                anchors[node.anchor] = index
    return False


def _nodes(entry: Entry) -> list[Leaf | Branch]:
    """Return the nodes of an entry, in file order."""
    nodes: list[Leaf | Branch] = [entry.key] if entry.key else []
    nodes.append(entry.value)
    if isinstance(entry.value, Branch):
        for child in entry.value.entries:
            nodes += _nodes(child)
    return nodes
