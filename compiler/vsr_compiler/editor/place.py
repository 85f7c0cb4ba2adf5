"""Where a cursor is in a text that may not be whole: the path of keys around it, by indentation and brackets.

An unfinished line is usual while somebody types, so this does not parse the document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

ITEM = "[]"
"""The step of a path that stands for an item of a list."""
_MARGIN = re.compile(r"(?P<indent> *)(?P<dashes>(?:-(?: +|$))*)")
_KEY = re.compile(r"[\"']?(?P<key>[\w./-]+)[\"']? *:(?= |$)")
_WORD = re.compile(r"[\w./-]*$")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cursor is.

    Attributes:
        path: The keys around it.
        key: The key whose value is being written; None if a key is.
        word: What is written already of the key or the value.
    """

    path: tuple[str, ...]
    key: str | None
    word: str


@dataclass(slots=True)
class _Blocks:
    """The keys and items of block style that are open, with their columns."""

    open: list[tuple[int, str]] = field(default_factory=list)

    def items(self, indent: int, dashes: str) -> int:
        """Open the items of a line. Return the column behind them."""
        for dash in re.finditer("-", dashes):
            column = indent + dash.start()
            while self.open and (self.open[-1][0] > column or self.open[-1] == (column, ITEM)):
                self.open.pop()
            self.open.append((column, ITEM))
        return indent + len(dashes)

    def close(self, column: int) -> None:
        """Close what a key in a column is not a part of."""
        while self.open and self.open[-1][0] >= column:
            self.open.pop()


def place_at(text: str, line: int, column: int) -> Place:
    """Return where a cursor is. Lines and columns count from 1."""
    lines = text.split("\n")
    if not 0 < line <= len(lines):
        return Place((), None, "")
    blocks = _Blocks()
    for above in lines[: line - 1]:
        if not above.strip() or above.lstrip().startswith("#"):
            continue
        margin = _MARGIN.match(above)
        rest = above[margin.end() :] if margin else above
        start = blocks.items(len(margin["indent"]), margin["dashes"]) if margin else 0
        blocks.close(start)
        key = _KEY.match(rest)
        if key is not None:
            blocks.open.append((start, key["key"]))
    before = lines[line - 1][: column - 1]
    margin = _MARGIN.match(before)
    start = blocks.items(len(margin["indent"]), margin["dashes"]) if margin else 0
    blocks.close(start)
    steps, pending = _flow(before[margin.end() :] if margin else before)
    word = _WORD.search(before)
    return Place((*(step for _, step in blocks.open), *steps), pending, word[0] if word else "")


def _flow(rest: str) -> tuple[list[str], str | None]:
    """Return the steps that are open at the end of a line, and the key whose value is being written."""
    opened: list[tuple[str | None, str]] = []
    pending: str | None = None
    index = 0
    while index < len(rest):
        letter = rest[index]
        key = _KEY.match(rest, index)
        if key is not None and (not index or rest[index - 1] in " {[,"):
            pending, index = key["key"], key.end()
            continue
        if letter in "\"'":
            end = rest.find(letter, index + 1)
            index = len(rest) if end < 0 else end + 1
            continue
        if letter == "#" and (not index or rest[index - 1] == " "):
            break
        if letter in "{[":
            opened.append((pending, letter))
            pending = None
        elif letter in "}]" and opened:
            opened.pop()
            pending = None
        elif letter == ",":
            pending = None
        index += 1
    steps: list[str] = []
    last_list = None
    for name, bracket in opened:
        steps += [name] if name is not None else []
        steps += [ITEM] if bracket == "[" else []
        last_list = name if bracket == "[" else None
    if pending is None and last_list is not None:
        return steps[:-2], last_list  # a scalar in `key: [a, b` is a value of the key
    return steps, pending
