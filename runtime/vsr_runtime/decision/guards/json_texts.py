"""Every text of a JSON document with its position: values, keys, long numbers, and texts nested in texts.

The walk knows no API, so no field can be forgotten. It only leaves out words that the APIs define. JSON escapes are
undone anywhere in a text, for example in the arguments of a tool call, which are JSON inside JSON.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from vsr_runtime.decision.deadline import BudgetExceededError, Expired, check_deadline, never
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.guards.api_words import KEYS, NAMING, VALUES
from vsr_runtime.decision.guards.normalise import NormalisedText, normalise

_ESCAPE = (
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|"
    r'["\\/bfnrt])'
)
ESCAPE = re.compile(_ESCAPE)
"""An escape sequence for one character. A backslash before anything else is not an escape."""
_ESCAPES = re.compile(f"{_ESCAPE}(?:{_ESCAPE})*")
"""The pattern begins with a literal backslash, for which the search is much faster."""
UNICODE_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_TOKEN = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"([ \t\r\n]*+:)?|[{}\[\]]|-?[0-9][0-9.eE+-]*+', re.DOTALL)
_QUOTED = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|\\?\Z)', re.DOTALL)
"""A quoted text within a text. Without a closing quote it extends to the end, so the scan stays linear."""
_MIN_DIGITS = 7
"""Numbers with fewer digits are not read."""
PART_LISTS = frozenset({"content", "output", "parts", "system"})
"""Keys of lists whose elements together form one message."""
DEFINITION_LISTS = frozenset({"functions", "mcp_servers", "tools"})
"""Keys of lists whose elements are no messages."""
CALL_OBJECTS = frozenset({"arguments", "input"})
"""Keys of objects that are the arguments of a call."""
_TOKENS_PER_CHECK = 2048
"""Tokens between two checks of the deadline."""
_STEPS_PER_TOKEN, _STEPS_PER_TEXT = 500, 2000
"""Steps of the budget for a token of the document, and for a text."""
MAX_LEVELS = 64
"""Levels of texts within texts. As each level of quotes halves the backslashes, no body has as many of them."""
_READ_LEVELS = 3
"""Levels of a stream's text that are all read. Of more levels the last one is read."""
MAX_GROWTH = 4
"""Length of all texts within a text, as a multiple of its own length. Quotes need at most 1 a level, and one level is
usual; escapes by code can be nested such that each level is nearly as long as the one around it."""
MAX_TEXTS = 250_000
"""Texts that are read of a document."""


def unescape(text: str) -> str:
    """Return the text with its escapes undone. A lone surrogate becomes the replacement character."""
    return _ESCAPES.sub(lambda match: _LONE_SURROGATE.sub("\ufffd", json.loads(f'"{match[0]}"')), text)


def offsets(text: str) -> Sequence[int]:
    """Return the source offset of each character of the unescaped text, followed by the length of the source."""
    positions = array("I")  # a list would take ten times the memory
    last = 0
    for match in ESCAPE.finditer(text):
        positions.extend(range(last, match.start() + 1))
        last = match.end()
    positions.extend(range(last, len(text) + 1))
    return positions


def unescaped_levels(text: str, expired: Expired) -> Iterator[NormalisedText]:
    """Yield a text as finders read it with one level of escapes undone, with two, and so on; the last of many levels.

    Raises:
        BudgetExceededError: there are too many levels.
        DeadlineExceededError: the deadline passed first.
    """
    places: Sequence[int] | None = None
    for level in range(MAX_LEVELS + 1):
        if "\\" not in text or not ESCAPE.search(text):
            if level > _READ_LEVELS and places is not None:
                yield _placed(normalise(text), places)
            return
        check_deadline(expired, _STEPS_PER_TEXT + len(text))
        step = offsets(text)
        places = step if places is None else array("I", (places[place] for place in step))
        text = unescape(text)
        if level < _READ_LEVELS:
            yield _placed(normalise(text), places)
    raise BudgetExceededError


def _placed(inner: NormalisedText, places: Sequence[int]) -> NormalisedText:
    """Return a text with the offsets of what it was made of."""
    return NormalisedText(
        inner.text,
        [places[start] for start in inner.starts],
        [places[end] for end in inner.ends],
        tuple(replace(span, start=places[span.start], end=places[span.end]) for span in inner.hidden),
    )


@fast_dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the texts of an object or list are in the document. Objects and lists are identified by numbers.

    Attributes:
        owner: the object that they belong to, directly or through a list.
        message: the message, or the list of all its parts; None if they belong to none.
        parts: the list of content parts that they are in, at any depth; None if they are in none.
        in_call: whether they are arguments of a call that are no JSON text.
    """

    owner: int = 0
    message: int | None = None
    parts: int | None = None
    in_call: bool = False


NOWHERE = Surroundings()
"""The surroundings of keys, numbers and texts within texts, which are read by themselves."""


@fast_dataclass(frozen=True, slots=True)
class JsonText:
    """A text of the document.

    Attributes:
        value: the text.
        start: position of its raw form in the document: after the opening quote.
        raw: its raw form.
        key: the key that it belongs to, directly or through a list; a key's own text.
        run: the list of content parts that together form one text; None if it is not part of one.
        place: where it is in the document.
        quoted: false for a number, which has no quotes.
        within: position of the text that contains it, for a nested text; ``start`` is then an offset in that text.
    """

    value: str
    start: int
    raw: str
    key: str = ""
    run: int | None = None
    place: Surroundings = NOWHERE
    quoted: bool = True
    within: TextPosition | None = None


@dataclass(frozen=True)
class TextPosition:
    """Maps offsets in a text's value to positions in the document."""

    leaf: JsonText

    def at(self, index: int) -> int:
        """Return the position of the character with this index; the length of the value gives the end."""
        position: TextPosition | None = self
        while position is not None:
            offsets = position._offsets  # noqa: SLF001 - of the same class
            index = position.leaf.start + (index if offsets is None else offsets[index])
            position = position.leaf.within
        return index

    @cached_property
    def _offsets(self) -> Sequence[int] | None:
        if "\\" not in self.leaf.raw:
            return None
        return offsets(self.leaf.raw)

    @property
    def depth(self) -> int:
        """How many times a replacement must be JSON-encoded."""
        depth, within = 1, self.leaf.within
        while within is not None:
            depth, within = depth + 1, within.leaf.within
        return depth


@dataclass(slots=True)
class _Frame:
    """An open object or list: its current key, or the key that the list belongs to.

    ``parent`` is the list that an object or list is directly in.
    """

    number: int
    is_list: bool
    key: str
    parent: int | None
    place: Surroundings


def _open_frame(top: _Frame | None, number: int, *, is_list: bool) -> _Frame:
    """Return the frame of an object or list that begins."""
    if top is None:
        return _Frame(number, is_list, "", None, Surroundings(number))
    key, outer = top.key, top.place
    if is_list and key not in PART_LISTS:
        return _Frame(number, is_list, key, top.number if top.is_list else None, outer)
    message = outer.message
    if message is None and (is_list or (top.is_list and key not in DEFINITION_LISTS)):
        message = number
    in_call = outer.in_call or (key in CALL_OBJECTS and not is_list and not top.is_list)
    place = Surroundings(outer.owner if is_list else number, message, number if is_list else outer.parts, in_call)
    return _Frame(number, is_list, key, top.number if top.is_list else None, place)


def json_texts(text: str, expired: Expired = never, types: dict[int, str] | None = None) -> Iterator[JsonText]:
    """Yield all texts of a JSON document in order.

    Args:
        text: the document, valid JSON.
        expired: the deadline.
        types: gets the ``type`` of each object that has one, by its number.

    Raises:
        BudgetExceededError: there are too many texts, or texts within texts.
        DeadlineExceededError: the deadline passed first.
    """
    frames: list[_Frame] = []
    texts = 0
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count % _TOKENS_PER_CHECK == 0:
            check_deadline(expired, _TOKENS_PER_CHECK * _STEPS_PER_TOKEN)
        mark = match[0]
        if mark in "{[":
            frames.append(_open_frame(frames[-1] if frames else None, count, is_list=mark == "["))
        elif mark in "}]":
            frames.pop()
        elif mark[0] == '"':
            for leaf in _string_texts(match, frames, expired, types):
                texts += 1
                yield leaf
        elif len(frames) > 1 and sum(map(str.isdigit, mark)) >= _MIN_DIGITS:
            texts += 1
            yield JsonText(mark, match.start(), mark, frames[-1].key, quoted=False)
        if texts > MAX_TEXTS:
            raise BudgetExceededError


def _string_texts(
    match: re.Match[str], frames: list[_Frame], expired: Expired, types: dict[int, str] | None
) -> Iterator[JsonText]:
    raw = match[1]
    value = _decoded(raw) if "\\" in raw else raw
    top = frames[-1] if frames else None
    if match[2] is not None and top:
        top.key = value
        if value not in KEYS:
            yield JsonText(value, match.start() + 1, raw, value)
        return
    key = top.key if top else ""
    if key == "type" and types is not None and top and not top.is_list:
        types[top.number] = value
    if not value or (key in NAMING and value in VALUES):
        return
    place = top.place if top else NOWHERE
    leaf = JsonText(value, match.start() + 1, raw, key, _run(top, key), place)
    yield leaf
    if "\\" in value:
        yield from _nested_texts(leaf, expired)


def _run(top: _Frame | None, key: str) -> int | None:
    """Return the list of content parts that a text is part of, as a ``text`` field or directly."""
    if top is None:
        return None
    if top.is_list:
        return top.number if key == "content" else None
    return top.parent if key == "text" else None


def _nested_texts(leaf: JsonText, expired: Expired) -> Iterator[JsonText]:
    """Yield texts with escapes in a text that is itself JSON, such as the arguments of a call, and texts in those.

    Raises:
        BudgetExceededError: there are too many levels, or all these texts together are too long.
        DeadlineExceededError: the deadline passed first.
    """
    left = MAX_GROWTH * len(leaf.value)
    pending = [_within(leaf)]
    while pending:
        inner = next(pending[-1], None)
        if inner is None:
            pending.pop()
            continue
        left -= len(inner.value)
        if left < 0:
            raise BudgetExceededError
        check_deadline(expired, _STEPS_PER_TEXT + len(inner.raw))
        yield inner
        if "\\" in inner.value:
            if len(pending) == MAX_LEVELS:
                raise BudgetExceededError
            pending.append(_within(inner))


def _within(leaf: JsonText) -> Iterator[JsonText]:
    """Yield the texts with escapes in a text, one level down.

    If a character is escaped by its code, the whole text is read with all escapes undone, as a model reads it, whatever
    quotes surround it.
    """
    placed = TextPosition(leaf)
    if UNICODE_ESCAPE.search(leaf.value):
        yield JsonText(unescape(leaf.value), 0, leaf.value, leaf.key, within=placed)
        return
    for match in _QUOTED.finditer(leaf.value):
        raw = match[1]
        value = unescape(raw) if "\\" in raw else raw
        if value != raw:
            yield JsonText(value, match.start() + 1, raw, leaf.key, within=placed)


def _decoded(raw: str) -> str:
    value: str = json.loads(f'"{raw}"', strict=False)
    return value
