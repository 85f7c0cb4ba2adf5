"""The comments of a YAML text. Scalars are skipped, because a `#` inside a value begins no comment."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from ruamel.yaml import YAML

BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
"""Line breaks of libyaml."""
_COMMENT = re.compile("(?<!\\S)#[^\n\r\x85\u2028\u2029]*")
_HEADER = re.compile("[|>][-+0-9]*")
_SPACE = re.compile(r"\s*")


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment. ``line`` and ``column`` count from 1; ``alone`` if it is the only content of its line."""

    text: str
    offset: int
    line: int
    column: int
    alone: bool


class Places:
    """Conversion between offsets and lines of a text, with the line breaks of the scanner."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0, *(match.end() for match in BREAK.finditer(text))]

    def offset(self, mark: Any) -> int:  # noqa: ANN401 - ruamel's marks carry no types
        """Return the offset of a mark."""
        return int(self.starts[mark.line] + mark.column) if mark.line < len(self.starts) else len(self.text)

    def line(self, offset: int) -> int:
        """Return the line of an offset, counted from 1."""
        return bisect_right(self.starts, offset)

    def content(self, line: int) -> str:
        """Return the text of a line, counted from 1, without its line break."""
        end = self.starts[line] if line < len(self.starts) else len(self.text)
        return self.text[self.starts[line - 1] : end].rstrip("\n\r\x85\u2028\u2029")


def value_start(text: str, start: int, anchor: str | None) -> int:
    """Return the offset of a value: after its anchor, and after comments between the two.

    The anchor is the one that the parser reports. What may follow an anchor differs between YAML readers: libyaml
    reads ``&a:b`` as the anchor ``a`` of the value ``:b``.
    """
    if not anchor or not text.startswith(f"&{anchor}", start):
        return start
    position = _skip(text, start + 1 + len(anchor))
    while comment := _COMMENT.match(text, position):
        position = _skip(text, comment.end())
    return position


def _skip(text: str, position: int) -> int:
    blanks = _SPACE.match(text, position)
    return blanks.end() if blanks else position


def comments(text: str, places: Places | None = None, events: Iterable[Any] | None = None) -> list[Comment]:
    """Return the comments of a valid YAML text, in file order.

    Args:
        text: The whole text.
        places: Its lines, if the caller has them.
        events: Its parser events, if the caller has them.
    """
    places = places or Places(text)
    position, comments = 0, []
    for start, end in [*_values(text, places, events), (len(text), len(text))]:
        while match := _COMMENT.search(text, position, start):
            line = places.line(match.start())
            head = text[places.starts[line - 1] : match.start()]
            comments.append(Comment(match[0].rstrip(), match.start(), line, len(head) + 1, not head.strip()))
            position = match.end()
        position = max(position, end)
    return comments


def _values(text: str, places: Places, events: Iterable[Any] | None) -> Iterator[tuple[int, int]]:
    """Return the ranges of the text that are scalars."""
    for event in YAML(typ="safe").parse(text) if events is None else events:
        if type(event).__name__ != "ScalarEvent":
            continue
        start, end = places.offset(event.start_mark), places.offset(event.end_mark)
        if event.anchor:
            start = min(value_start(text, start, event.anchor), end)
        if event.style in {"|", ">"} and (header := _HEADER.match(text, start)):
            # A block scalar's first line may carry a comment; the text begins on the next.
            line = places.line(start)
            comment = _COMMENT.search(text, header.end(), places.starts[line])
            start = comment.end() if comment else header.end()
            yield header.start(), header.end()
        yield start, end
