"""Finds blocks in a text: pairs of tags or of ruled lines of any name, and fences. One pass, without recursion."""

from __future__ import annotations

import re

from vsr_runtime.decision.ask.rules import AskRules, Marker
from vsr_runtime.decision.ask.signs import has_ruled_lines
from vsr_runtime.decision.ask.vocabulary import Meaning, words_of
from vsr_runtime.decision.fast_dataclass import fast_dataclass

_TAG = re.compile(r"<<?(/?)([^\W\d][\w.:-]{0,63})((?:[ \t\n][^<>]{0,400})?)>>?")
_SQUARE = re.compile(r"\[(/?)([^\W\d_][\w -]{1,40})()\]")
_RULED = re.compile(r"\n[ \t]{0,3}([-=*#<~_])\1{1,40}[ \t]*([^\W\d_][^\n]{0,80}?)[ \t]*[-=*#>~_]{2,40}[ \t]*(?=\n|$)")
_BRACKETED = re.compile(r"\n[ \t]{0,3}\[([^\W\d_][^\]\n]{0,60})\]:?[ \t]*(?=\n|$)")
_END = frozenset({"end", "ende", "fin", "stop", "koniec", "fine", "fim"})
_BEGIN = frozenset({"begin", "start", "beginn", "of", "the", "inicio", "début"})
QUOTES = '"""'
_FENCES = ("```", "~~~", QUOTES)
MAX_TAGS = 4000
"""Tags that are read in one text. What follows is plain text."""
MAX_FENCES = 1000


@fast_dataclass(frozen=True, slots=True)
class Block:
    """A block at the top level of a text.

    Attributes:
        start: position of the block.
        end: position behind it.
        inner: position of its content.
        inner_end: position behind its content.
        name: the name of its tag or line; empty for a fence.
        attributes: attributes of the tag.
        meaning: what a policy's own marker holds.
    """

    start: int
    end: int
    inner: int
    inner_end: int
    name: str
    attributes: str = ""
    meaning: Meaning | None = None


def blocks_of(text: str, start: int, end: int, rules: AskRules, signs: frozenset[str]) -> list[Block]:
    """Return the top-level blocks between two positions, in order. A tag must begin a line or follow another block.

    Args:
        text: the text.
        start: where to begin.
        end: where to stop.
        rules: how asks are extracted.
        signs: the signs at the beginnings of lines there.
    """
    blocks = _marked(text, start, end, rules.markers) if rules.markers else []
    fences = _fences(text, start, end)
    squares = text.find("[", start, end) >= 0
    if text.find("<", start, end) >= 0:
        blocks = _without_overlap(blocks, _tagged(text, start, end, _TAG, fences))
    if squares and text.find("[/", start, end) >= 0:
        blocks = _without_overlap(blocks, _tagged(text, start, end, _SQUARE, fences))
    if has_ruled_lines(signs):
        blocks = _without_overlap(blocks, _ruled(text, start, end, _RULED, 2))
    if "[" in signs:
        blocks = _without_overlap(blocks, _ruled(text, start, end, _BRACKETED, 1))
    return _without_overlap(blocks, fences)


def _without_overlap(first: list[Block], second: list[Block]) -> list[Block]:
    """Return all of the first blocks, and those of the second ones that touch none of them, in order."""
    if not first or not second:
        return first or second
    kept: list[Block] = []
    number = 0
    for block in second:
        while number < len(first) and first[number].end <= block.start:
            number += 1
        if number == len(first) or block.end <= first[number].start:
            kept.append(block)
    return sorted([*first, *kept], key=lambda block: block.start)


def _tagged(text: str, start: int, end: int, pattern: re.Pattern[str], fences: list[Block]) -> list[Block]:
    """Pair tags at the top level. Within a block only tags of its own name count."""
    tags: list[re.Match[str]] = []
    for match in pattern.finditer(text, start, end):
        tags.append(match)
        if len(tags) == MAX_TAGS:
            break
    last_close = {match[2]: match.start() for match in tags if match[1]}
    blocks: list[Block] = []
    opened: re.Match[str] | None = None
    depth = fence = 0
    boundary = start
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
    """Return whether only blanks are between the beginning of the line, or the last block, and a position."""
    place = position - 1
    lowest = max(boundary, position - 64)
    while place >= lowest and text[place] in " \t\r":
        place -= 1
    return place < boundary or (place >= 0 and text[place] == "\n")


def _ruled(text: str, start: int, end: int, pattern: re.Pattern[str], group: int) -> list[Block]:
    """Pair lines such as ``--- Notes ---`` and ``--- End of notes ---``, or ``[NOTES]`` and ``[END NOTES]``."""
    blocks: list[Block] = []
    opened: list[tuple[re.Match[str], frozenset[str]]] = []
    for match in pattern.finditer(text, max(0, start - 1), end):
        words = words_of(match[group])
        if not _END.intersection(words[:1] + words[-1:]):
            opened.append((match, frozenset(words) - _BEGIN))
            del opened[:-MAX_OPEN]
        elif opened:
            shared = [one for one, name in opened if name.intersection(words)]
            first = shared[0] if shared else opened[-1][0]
            name = " ".join(word for word in words_of(first[group]) if word not in _BEGIN)
            blocks.append(Block(first.start() + 1, match.end(), first.end(), match.start(), name))
            opened = []
    return blocks


MAX_OPEN = 16
"""Ruled lines that may still be closed."""


def _fences(text: str, start: int, end: int) -> list[Block]:
    """Return closed fences. The closing line begins with the mark of the opening one."""
    blocks: list[Block] = []
    for mark in _FENCES:
        if text.find(mark[0], start, end) < 0:
            continue
        own: list[Block] = []
        place = text.find(mark, start, end)
        opened = -1
        while place >= 0 and len(own) < MAX_FENCES:
            line = text.find("\n", place, end)
            if _begins(text, start, place):
                close = text.find(mark, place + len(mark), end) if mark == QUOTES and opened < 0 else -1
                if close >= 0:
                    own.append(Block(place, close + len(mark), place + len(mark), close, ""))
                    line = text.find("\n", close, end)
                elif opened < 0:
                    opened = place
                else:
                    inner = text.find("\n", opened, place) + 1
                    own.append(Block(opened, end if line < 0 else line, inner, place, ""))
                    opened = -1
            if line < 0:
                break
            place = text.find(mark, line, end)
        blocks = _without_overlap(blocks, own)
    return blocks


def _marked(text: str, start: int, end: int, markers: tuple[Marker, ...]) -> list[Block]:
    """Return the blocks of a policy's own markers."""
    piece = text[start:end]
    data = piece.encode("utf-8", "surrogatepass")
    blocks: list[Block] = []
    for marker in markers:
        own = [
            Block(low + start, high + start, inner + start, inner_end + start, "marker", meaning=marker.meaning)
            for low, high, inner, inner_end in (_characters(piece, data, bounds) for bounds in marker.pairs(data))
        ]
        blocks = _without_overlap(blocks, own)
    return blocks


def _characters(piece: str, data: bytes, bounds: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    """Return positions in a text for positions in its bytes."""
    if len(piece) == len(data):
        return bounds
    low, high, inner, inner_end = (len(data[:bound].decode("utf-8", "surrogatepass")) for bound in bounds)
    return low, high, inner, inner_end
