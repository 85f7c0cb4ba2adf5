"""The nodes of a YAML document, with their positions in the file."""

from __future__ import annotations

from dataclasses import dataclass, field

from vsr_compiler.diagnostics import Span


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value. ``plain`` is true if it is written without quotes or block style."""

    text: str
    plain: bool
    span: Span


@dataclass(slots=True)
class Mapping:
    """Keys in file order, each with the position of the key and its value. Keys are always strings."""

    span: Span
    entries: dict[str, tuple[Span, Node]] = field(default_factory=dict)


@dataclass(slots=True)
class Sequence:
    """Items in file order."""

    span: Span
    items: list[Node] = field(default_factory=list)


Node = Scalar | Mapping | Sequence
