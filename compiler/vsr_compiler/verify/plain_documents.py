"""The fast way to read YAML: the values of ordinary documents, without the places of their parts.

Ordinary documents have no anchors, aliases, tags, merge keys, directives, duplicate keys and errors. A text that has is
read by the composer of ``stream``, which knows the place of every part.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from vsr_compiler.verify.limits import MAX_DEPTH, Budget
from vsr_compiler.verify.plain_scalars import resolve_plain_scalar


class ExtraordinaryError(Exception):
    """The text has something that only the composer reads."""


@dataclass(frozen=True, slots=True)
class PlainDocument:
    """A document: its value, and where it begins in the text, as an offset and as a line counted from zero."""

    value: Any
    start: int
    line: int


def plain_documents(text: str, budget: Budget) -> Iterator[PlainDocument]:
    """Return the documents of a text.

    Raises:
        ExtraordinaryError: What follows cannot be read in this way, or exceeds a limit.
    """
    try:
        yield from _documents(text, budget)
    except YAMLError:
        raise ExtraordinaryError from None


def _documents(text: str, budget: Budget) -> Iterator[PlainDocument]:  # noqa: C901, PLR0912, PLR0915 - one loop, for speed
    resolved: dict[str, object] = {}
    parents: list[tuple[Any, str | None]] = []
    root: Any = None
    current: Any = None
    key: str | None = None
    start = line = 0
    for event in YAML(typ="safe").parse(text):
        kind = event.__class__
        if kind is ScalarEvent:
            if event.anchor or event.ctag is not None:
                raise ExtraordinaryError
            budget.values -= 1
            value = event.value
            if current.__class__ is dict and key is None:
                if value in current or value == "<<":
                    raise ExtraordinaryError
                key = value
                continue
            if not event.style:
                if value not in resolved:
                    resolved[value] = resolve_plain_scalar(value)
                value = resolved[value]
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            if event.anchor or event.ctag is not None or len(parents) >= MAX_DEPTH - 1:
                raise ExtraordinaryError
            budget.values -= 1
            value = {} if kind is MappingStartEvent else []
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            current, key = parents.pop()
            continue
        elif kind is DocumentStartEvent:
            if event.version or event.tags:
                raise ExtraordinaryError
            mark = event.start_mark
            start, line = mark.index - mark.column, mark.line
            root = current = key = None
            continue
        elif kind is DocumentEndEvent:
            yield PlainDocument(root, start, line)
            continue
        else:
            if kind.__name__ == "AliasEvent":
                raise ExtraordinaryError
            continue
        if budget.values < 0:
            raise ExtraordinaryError
        if current is None:
            root = value
        elif current.__class__ is list:
            current.append(value)
        elif key is None:  # a collection as a key
            raise ExtraordinaryError
        else:
            current[key] = value
            key = None
        if kind is not ScalarEvent:
            parents.append((current, key))
            current, key = value, None
