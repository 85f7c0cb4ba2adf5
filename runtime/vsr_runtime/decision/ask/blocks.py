"""Finds blocks in a text: pairs of tags of any name, and fenced code. One pass, without recursion."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = re.compile(r"<(/?)([^\W\d][\w.:-]{0,63})((?:[ \t\n][^<>]{0,400})?)>")
MAX_TAGS = 4000
"""Tags that are read in one text. What follows is plain text."""
MAX_FENCES = 1000
_FENCES = ("```", "~~~")


@dataclass(frozen=True, slots=True)
class Block:
    """A block at the top level of a text: its bounds, the bounds of its content, and the name; empty for a fence."""

    start: int
    end: int
    inner: int
    inner_end: int
    name: str
    attributes: str = ""


def blocks_of(text: str, start: int, end: int) -> list[Block]:
    """Return the top-level blocks between two positions, in order. A tag must begin a line or follow another block."""
    fences = _fences(text, start, end)
    if "<" not in text:
        return fences
    tags = _tags(text, start, end)
    if not tags:
        return fences
    return _merged(_tag_blocks(text, start, tags, fences), fences)


def _merged(tagged: list[Block], fences: list[Block]) -> list[Block]:
    """Return tag blocks and the fences outside of them."""
    blocks = tagged + [fence for fence in fences if not _inside(fence, tagged)] if fences else tagged
    blocks.sort(key=lambda block: block.start)
    return blocks


def _inside(fence: Block, tagged: list[Block]) -> bool:
    low, high = 0, len(tagged)
    while low < high:
        middle = (low + high) // 2
        if tagged[middle].end <= fence.start:
            low = middle + 1
        else:
            high = middle
    return low < len(tagged) and tagged[low].start <= fence.start


def _tags(text: str, start: int, end: int) -> list[re.Match[str]]:
    found: list[re.Match[str]] = []
    for match in _TAG.finditer(text, start, end):
        found.append(match)
        if len(found) == MAX_TAGS:
            break
    return found


def _tag_blocks(text: str, start: int, tags: list[re.Match[str]], fences: list[Block]) -> list[Block]:
    """Pair tags at the top level. Within a block only tags of its own name count."""
    last_close = {match[2]: match.start() for match in tags if match[1]}
    blocks: list[Block] = []
    opened: re.Match[str] | None = None
    depth = 0
    boundary = start
    fence = 0
    for match in tags:
        name = match[2]
        if opened is None:
            while fence < len(fences) and fences[fence].end <= match.start():
                fence += 1
            fenced = fence < len(fences) and fences[fence].start <= match.start()
            if match[1] or fenced or match[3].endswith("/") or last_close.get(name, -1) < match.end():
                continue
            if _begins(text, boundary, match.start()):
                opened, depth = match, 1
        elif name == opened[2]:
            depth += -1 if match[1] else 0 if match[3].endswith("/") else 1
            if depth == 0 or (match[1] and match.start() == last_close[name]):
                blocks.append(Block(opened.start(), match.end(), opened.end(), match.start(), name, opened[3]))
                boundary, opened = match.end(), None
    return blocks


def _begins(text: str, boundary: int, position: int) -> bool:
    """Return whether only blanks stand between the beginning of the line, or the last block, and a position."""
    place = position - 1
    lowest = max(boundary, position - 64)
    while place >= lowest and text[place] in " \t\r":
        place -= 1
    return place < boundary or (place >= 0 and text[place] == "\n")


def _fences(text: str, start: int, end: int) -> list[Block]:
    """Return closed fences. The closing line begins with the mark of the opening one."""
    blocks: list[Block] = []
    for mark in _FENCES:
        place = text.find(mark, start, end)
        opened = -1
        while place >= 0 and len(blocks) < MAX_FENCES:
            line = text.find("\n", place, end)
            if _begins(text, start, place):
                if opened < 0:
                    opened = place
                else:
                    inner = text.find("\n", opened, place) + 1
                    stop = end if line < 0 else line
                    blocks.append(Block(opened, stop, inner, place, ""))
                    opened = -1
            if line < 0:
                break
            place = text.find(mark, line, end)
    blocks.sort(key=lambda block: block.start)
    return blocks
