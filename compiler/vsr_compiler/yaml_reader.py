"""The one reader of YAML in the compiler: composes values from parser events, within limits.

It reads events instead of using ruamel's composer, because the stack here cannot overflow, aliases are counted as they
expand, and a duplicate key is seen with both places. A subclass of ``Composer`` decides what a scalar, a mapping, a
sequence and an alias become, and which YAML features are errors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, NoReturn, Protocol, TypeVar

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from vsr_compiler.diagnostics import CompileError, Diagnostic, Span

T = TypeVar("T")
K = TypeVar("K")
Event = Any
"""A parser event. ruamel's events carry no types."""


class Budget(Protocol):
    """The number of values that may still be read. Several streams can share one budget."""

    values: int


@dataclass(slots=True)
class Values:
    """A budget of its own."""

    values: int


@dataclass(slots=True)
class Frame(Generic[T, K]):
    """A mapping or sequence that is still open. ``key`` is set while the value of a mapping's entry is awaited."""

    value: T
    event: Event
    mapping: bool
    budget_at_start: int
    key: K | None = None


class Composer(ABC, Generic[T, K]):
    """Composes one document after another. ``T`` is the type of values, ``K`` that of keys."""

    def __init__(self, name: str, budget: Budget, max_depth: int) -> None:
        self.name = name
        self.budget = budget
        self.max_depth = max_depth
        self.root: T | None = None
        self._stack: list[Frame[T, K]] = []
        self._anchors: dict[str, tuple[T, int]] = {}

    @abstractmethod
    def scalar(self, event: Event) -> T:
        """Return the value of a scalar."""

    @abstractmethod
    def collection(self, event: Event, *, mapping: bool) -> T:
        """Return an empty mapping or sequence, which is filled by ``item`` and ``entry``."""

    @abstractmethod
    def key(self, value: T, event: Event) -> K:
        """Return the key of a mapping's entry. ``event`` is where it is written, which may be an alias."""

    @abstractmethod
    def item(self, frame: Frame[T, K], value: T) -> None:
        """Append an item to a sequence. The value may still be open."""

    @abstractmethod
    def entry(self, frame: Frame[T, K], key: K, value: T, event: Event) -> None:
        """Add an entry to a mapping. The value may still be open."""

    @abstractmethod
    def over_depth(self, event: Event) -> NoReturn:
        """Raise the error for a document that is nested too deep."""

    @abstractmethod
    def over_budget(self, event: Event) -> NoReturn:
        """Raise the error for too many values."""

    def alias(self, event: Event, value: T) -> T:  # noqa: ARG002 - for subclasses that keep aliases
        """Return the value of an alias, by default the one that has the anchor."""
        return value

    def close(self, frame: Frame[T, K], event: Event) -> None:
        """Finish a mapping or sequence."""

    def start_document(self, event: Event) -> None:
        """Begin a document."""

    def documents(self, text: str, *, pure: bool = False) -> Iterator[T | None]:
        """Compose the documents of a text.

        Args:
            text: The YAML stream.
            pure: Whether to use ruamel's parser in Python instead of libyaml: slower, and closer to YAML 1.2.

        Raises:
            YAMLError: The text is not valid YAML.
            CompileError: An anchor is not defined, a limit is reached, or a hook raises it.
        """
        for event in YAML(typ="safe", pure=pure).parse(text):
            if self.feed(event):
                yield self.root

    def feed(self, event: Event) -> bool:
        """Process the next event. Return whether a document is complete."""
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self.spend(1, event)
            value = self.scalar(event)
            if event.anchor:
                self._anchors[event.anchor] = (value, 1)
            self._put(value, event)
        elif kind in {"MappingStartEvent", "SequenceStartEvent"}:
            self._open(event, mapping=kind[0] == "M")
        elif kind in {"MappingEndEvent", "SequenceEndEvent"}:
            frame = self._stack.pop()
            self.close(frame, event)
            if frame.event.anchor:
                weight = frame.budget_at_start - self.budget.values + 1
                self._anchors[frame.event.anchor] = (frame.value, weight)
        elif kind == "AliasEvent":
            self._expand(event)
        elif kind == "DocumentStartEvent":
            self.root, self._anchors = None, {}
            self.start_document(event)
        return kind == "DocumentEndEvent"

    def spend(self, count: int, event: Event) -> None:
        """Take values from the budget."""
        self.budget.values -= count
        if self.budget.values < 0:
            self.over_budget(event)

    def span(self, event: Event) -> Span:
        """Return the extent of an event."""
        return event_span(event, self.name)

    def _open(self, event: Event, *, mapping: bool) -> None:
        self.spend(1, event)
        if len(self._stack) >= self.max_depth:
            self.over_depth(event)
        frame: Frame[T, K] = Frame(self.collection(event, mapping=mapping), event, mapping, self.budget.values)
        self._put(frame.value, event)
        self._stack.append(frame)

    def _expand(self, event: Event) -> None:
        if event.anchor not in self._anchors:
            message = f"`*{event.anchor}` refers to no anchor that ends before it"
            hint = f"Define `&{event.anchor}` first."
            raise CompileError([Diagnostic("VSR002", message, self.span(event), hint)])
        value, weight = self._anchors[event.anchor]
        self.spend(weight, event)
        self._put(self.alias(event, value), event)

    def _put(self, value: T, event: Event) -> None:
        if not self._stack:
            self.root = value
            return
        frame = self._stack[-1]
        if not frame.mapping:
            self.item(frame, value)
        elif frame.key is None:
            frame.key = self.key(value, event)
        else:
            key, frame.key = frame.key, None
            self.entry(frame, key, value, event)


def event_span(event: Event, name: str) -> Span:
    """Return the extent of an event in a file."""
    start, end = event.start_mark, event.end_mark
    return Span(name, start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def error_position(error: YAMLError, text: str) -> tuple[int, int]:
    """Return line and column of a parser error, also of one that has only an offset (a control character)."""
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    if mark is not None:
        return mark.line + 1, mark.column + 1
    before = text[: min(int(getattr(error, "position", 0) or 0), len(text))]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def error_problem(error: YAMLError) -> str:
    """Return what the parser reports as the problem."""
    problem = error.problem if isinstance(error, MarkedYAMLError) and error.problem else getattr(error, "reason", "")
    return str(problem or "cannot be read")
