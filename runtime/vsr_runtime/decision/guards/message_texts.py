"""Joins the texts of one message, since a model reads them as one text.

Servers disagree about what they read: the parts of known types, unknown parts as well, or only a string. So the texts
of a message are joined in several ways, and each of them is read:

- all its texts in the order of the document;
- those that documented servers read, also in the order in which templates write them: reasoning, content, calls;
- the latter as lines, since vLLM joins text parts by line breaks.

Arguments of a call that are JSON take part with the strings in it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from vsr_runtime.decision.guards.detection import TextSpan
from vsr_runtime.decision.guards.json_texts import JsonText, TextPosition, unescape

_SKIPPED = frozenset(
    {"call_id", "detail", "format", "id", "item_id", "media_type", "name", "object", "role", "status"}
    | {"tool_call_id", "tool_use_id", "type"}
)
"""Fields that name things and are read one by one."""
_TEXT_TYPES = frozenset({"input_text", "output_text", "reasoning_text", "summary_text", "text", "text_delta"})
_READ_BY_TYPE = {
    "refusal": frozenset({"message", "refusal"}),
    "text": _TEXT_TYPES,
    "thinking": frozenset({"thinking", "thinking_delta"}),
}
"""Fields of parts that servers read as text, and the types of these parts (vLLM, ``chat_utils.py``: MM_PARSER_MAP)."""
_READ = frozenset(
    {"arguments", "content", "data", "input", "output", "partial_json", "reasoning", "reasoning_content", "transcript"}
)
"""Fields of messages and parts that servers read whatever the type is."""
_REASONING = frozenset({"reasoning", "reasoning_content", "summary", "thinking"})
_ARGUMENTS = frozenset({"arguments", "input", "partial_json"})
_STRING = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"([ \t\r\n]*+:)?', re.DOTALL)
WINDOW = 2048
"""Characters of a text before and after a seam that are read as lines."""
_GAP = "\n\n\n"


@dataclass(frozen=True, slots=True)
class Join:
    """Texts that were joined to one.

    Attributes:
        text: the text.
        begins: where each piece begins in it, ascending.
        pieces: the text that each piece is of, the offset in it, and the piece's length.
        as_lines: whether the texts are lines.
    """

    text: str
    begins: Sequence[int]
    pieces: Sequence[tuple[JsonText, int, int]]
    as_lines: bool = False

    def across(self, span: TextSpan) -> Iterator[tuple[JsonText, TextSpan]]:
        """Yield what a finding covers of each text."""
        first = max(0, bisect_right(self.begins, span.start) - 1)
        for place in range(first, bisect_left(self.begins, span.end)):
            leaf, offset, length = self.pieces[place]
            begin = self.begins[place]
            start, end = max(span.start - begin, 0), min(span.end - begin, length)
            if start < end:
                yield leaf, replace(span, start=offset + start, end=offset + end)


def are_parts(leaves: Sequence[JsonText]) -> bool:
    """Return whether texts are parts of one content, so that a model reads them without anything in between."""
    return len({leaf.place.parts if leaf.place.message is not None else leaf.run for leaf in leaves}) == 1 and (
        leaves[0].place.parts is not None or leaves[0].place.message is None
    )


def joins(leaves: Sequence[JsonText], types: Mapping[int, str]) -> Iterator[Join]:
    """Yield the joined texts of all messages. ``types`` has the type of each object by its number."""
    messages: dict[int, list[JsonText]] = {}
    runs: dict[int, list[JsonText]] = {}
    for leaf in leaves:
        if leaf.place.message is not None and leaf.within is None and leaf.quoted and leaf.key not in _SKIPPED:
            messages.setdefault(leaf.place.message, []).append(leaf)
        elif leaf.run is not None and leaf.place.message is None:
            runs.setdefault(leaf.run, []).append(leaf)
    for texts in runs.values():
        if len(texts) > 1:
            yield _join(texts)
    for texts in messages.values():
        yield from _message_joins(texts, types)


def field_joins(leaves: Sequence[JsonText]) -> Iterator[Join]:
    """Yield the joined texts of the fields of one message that all are read: in their order, and as templates do."""
    read = [part for leaf in leaves for part in _arguments(leaf)]
    ordered = sorted(read, key=_rank)
    for parts in (read,) if read == ordered else (read, ordered):
        if len(parts) > 1:
            yield _join(parts)
            yield _join(parts, as_lines=True)


def _message_joins(texts: Sequence[JsonText], types: Mapping[int, str]) -> Iterator[Join]:
    every = [part for leaf in texts for part in _arguments(leaf)]
    if len(every) == 1:
        return
    read = [part for leaf in texts if _is_read(leaf, types) for part in _arguments(leaf)]
    ordered = sorted(read, key=_rank)
    seen: list[list[JsonText]] = []
    for parts in (every, read, ordered):
        if len(parts) > 1 and parts not in seen:
            seen.append(parts)
            yield _join(parts)
    if len(ordered) > 1:
        yield _join(ordered, as_lines=True)


def _is_read(leaf: JsonText, types: Mapping[int, str]) -> bool:
    """Return whether documented servers read a text of a message."""
    if leaf.place.in_call or leaf.key in _READ:
        return True
    kinds = _READ_BY_TYPE.get(leaf.key)
    kind = types.get(leaf.place.owner)
    return kinds is not None and (kind is None or kind in kinds)


def _rank(leaf: JsonText) -> int:
    """Return the place of a text in a template."""
    if leaf.place.in_call or leaf.within is not None or leaf.key in _ARGUMENTS:
        return 2
    return 0 if leaf.key in _REASONING else 1


def _arguments(leaf: JsonText) -> Sequence[JsonText]:
    """Return the strings in the arguments of a call; any other text as it is."""
    if leaf.key not in _ARGUMENTS or leaf.value.lstrip()[:1] not in ("{", "["):
        return (leaf,)
    placed = TextPosition(leaf)
    return [
        replace(leaf, value=unescape(match[1]), start=match.start(1), raw=match[1], within=placed)
        for match in _STRING.finditer(leaf.value)
        if match[1] and match[2] is None
    ]


def _join(texts: Sequence[JsonText], *, as_lines: bool = False) -> Join:
    """Return the texts joined. As lines, only the beginning and the end of long texts take part."""
    separator = "\n" if as_lines else ""
    parts: list[str] = []
    begins: list[int] = []
    pieces: list[tuple[JsonText, int, int]] = []
    at = 0
    for leaf in texts:
        size = len(leaf.value)
        cuts = [(0, WINDOW), (size - WINDOW, size)] if as_lines and size > 2 * WINDOW else [(0, size)]
        for number, (start, end) in enumerate(cuts):
            between = _GAP if number else separator if parts else ""
            parts += [between, leaf.value[start:end]]
            begins.append(at + len(between))
            pieces.append((leaf, start, end - start))
            at += len(between) + end - start
    return Join("".join(parts), begins, pieces, as_lines)
