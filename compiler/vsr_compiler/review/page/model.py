"""What a page consists of. All texts are plain; the template escapes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mark = Literal["", "good", "bad", "warn"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table.

    Attributes:
        text: Its text.
        mark: How it is judged; the text says the same in words.
        code: Whether it is a name, condition or value that is shown in a fixed width.
        heat: Its shade in a matrix, from 0 to 9; None for a plain cell.
        number: Whether it is aligned as a number.
    """

    text: str
    mark: Mark = ""
    code: bool = False
    heat: int | None = None
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption. The first cell of a row is its header."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a drawing from one node to another, by their numbers, with the words of its title."""

    start: int
    end: int
    words: str
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Node:
    """A box of a drawing: its column, the class of its colour, its text, and the words of its title."""

    column: int
    kind: str
    text: str
    words: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing in columns: the titles of the columns, the boxes, and the lines between them."""

    title: str
    columns: tuple[str, ...]
    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page: paragraphs, then a drawing, then tables."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    drawing: Drawing | None = None
    tables: tuple[Table, ...] = ()
    text: str = ""
    """Text in a fixed width, such as a diff."""


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page. ``facts`` are pairs of a name and a value that its head shows."""

    title: str
    facts: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
