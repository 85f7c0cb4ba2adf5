"""Undoes JSON's escapes wherever they stand in a text, such as in a call's arguments, which are JSON inside JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from vsr_runtime.decision.deadline import DeadlineExceededError, Expired, never
from vsr_runtime.decision.guards.api_words import BLOBS, KEYS, NAMING, VALUES
from vsr_runtime.decision.guards.normalise import NormalisedText, normalise

_ESCAPE = r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|" + r'\\["\\/bfnrt]'
ESCAPE = re.compile(_ESCAPE)
"""What stands for one character. Anything else behind a backslash is no escape and stays."""
_ESCAPES = re.compile(f"(?:{_ESCAPE})+")
UNICODE_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def unescape(text: str) -> str:
    """The text with its escapes undone. Half of a pair becomes what stands for the unreadable."""
    return _ESCAPES.sub(lambda match: _LONE_SURROGATE.sub("\ufffd", json.loads(f'"{match[0]}"')), text)


def offsets(text: str) -> Sequence[int]:
    """Where each character of the text with its escapes undone begins in the text; at the end, its length."""
    found: list[int] = []
    last = 0
    for match in ESCAPE.finditer(text):
        found += range(last, match.start() + 1)
        last = match.end()
    return [*found, *range(last, len(text) + 1)]


def normalise_unescaped(text: str) -> NormalisedText | None:
    """The text with its escapes undone, as finders read it; None where it has none."""
    if "\\" not in text or not ESCAPE.search(text):
        return None
    places = offsets(text)
    inner = normalise(unescape(text))
    return NormalisedText(
        inner.text,
        [places[start] for start in inner.starts],
        [places[end] for end in inner.ends],
        tuple(replace(span, start=places[span.start], end=places[span.end]) for span in inner.hidden),
    )


_TOKEN = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"([ \t\r\n]*+:)?|[{}\[\]]|-?[0-9][0-9.eE+-]*+', re.DOTALL)
_QUOTED = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)(?:"|\\?\Z)', re.DOTALL)
"""A text in quotes within a text; one that never ends goes to the end, so that nobody looks for its end once more."""
_BLOB = re.compile(r"(?:data:[A-Za-z0-9+./;=_-]{0,200},)?[A-Za-z0-9+/=_-]*+")
_MIN_BLOB = 64
_MIN_DIGITS = 7
"""A number of fewer digits tells nothing."""
_TOKENS_PER_CHECK = 2048
"""Tokens between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class JsonText:
    """A text of the document.

    Attributes:
        value: what it says.
        start: where its raw form begins in the document: behind the opening quote.
        raw: its raw form.
        key: the key that it stands under, directly or in a list; of a key, itself.
        run: the list of content parts that it is one text of; None where it stands alone.
        quoted: false for a number, which has no quotes.
        within: the text that it stands in, where it is a text inside a text; ``start`` then counts in that one's value.
    """

    value: str
    start: int
    raw: str
    key: str = ""
    run: int | None = None
    quoted: bool = True
    within: TextPosition | None = None


@dataclass(frozen=True)
class TextPosition:
    """Finds the place in the document for a place in a leaf's value."""

    leaf: JsonText

    def at(self, index: int) -> int:
        """Where the character of this index begins in the document; the length of the value gives the end."""
        leaf = self.leaf
        place = leaf.start + (index if self._offsets is None else self._offsets[index])
        return place if leaf.within is None else leaf.within.at(place)

    @cached_property
    def _offsets(self) -> Sequence[int] | None:
        if "\\" not in self.leaf.raw:
            return None
        return offsets(self.leaf.raw)

    @property
    def depth(self) -> int:
        """How often what is put here must be encoded."""
        return 1 + (0 if self.leaf.within is None else self.leaf.within.depth)


@dataclass(slots=True)
class _Frame:
    """An object or a list that is open: its key, or the one that it stands under."""

    number: int
    is_list: bool
    key: str
    parent: int | None = field(default=None)


def json_texts(text: str, expired: Expired = never) -> Iterator[JsonText]:
    """All texts of a JSON document, in their order.

    Args:
        text: the document, valid JSON.
        expired: says when the time is up.

    Raises:
        OutOfTimeError: the time was up first.
    """
    frames: list[_Frame] = []
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count % _TOKENS_PER_CHECK == 0 and expired():
            raise DeadlineExceededError
        mark = match[0]
        if mark in "{[":
            top = frames[-1] if frames else None
            lists = top.number if top and top.is_list else None
            frames.append(_Frame(count, mark == "[", top.key if top else "", lists))
        elif mark in "}]":
            frames.pop()
        elif mark[0] == '"':
            yield from _string_texts(match, frames)
        elif len(frames) > 1 and sum(map(str.isdigit, mark)) >= _MIN_DIGITS:
            yield JsonText(mark, match.start(), mark, frames[-1].key, quoted=False)


def _string_texts(match: re.Match[str], frames: list[_Frame]) -> Iterator[JsonText]:
    raw = match[1]
    value = _decoded(raw) if "\\" in raw else raw
    top = frames[-1] if frames else None
    if match[2] is not None and top:
        top.key = value
        if value not in KEYS:
            yield JsonText(value, match.start() + 1, raw, value)
        return
    key = top.key if top else ""
    if not value or (key in NAMING and value in VALUES):
        return
    run = _run(top, key)
    leaf = JsonText(value, match.start() + 1, raw, key, run)
    yield leaf
    if "\\" in value:
        yield from _nested_texts(leaf)


def _run(top: _Frame | None, key: str) -> int | None:
    """The list of content parts that a text is one of, as an object with a ``text`` or as it is."""
    if top is None:
        return None
    if top.is_list:
        return top.number if key == "content" else None
    return top.parent if key == "text" else None


def _nested_texts(leaf: JsonText) -> Iterator[JsonText]:
    """Texts with escapes inside a text that is JSON itself, such as a call's arguments, and those inside them.

    Where a character is written by its number, the whole is read with all escapes undone, as a model reads it, whatever
    quotes stand around. Each level has half the backslashes of the one before, at most.
    """
    placed = TextPosition(leaf)
    if UNICODE_ESCAPE.search(leaf.value):
        inner = JsonText(unescape(leaf.value), 0, leaf.value, leaf.key, within=placed)
        yield inner
        if "\\" in inner.value:
            yield from _nested_texts(inner)
        return
    for match in _QUOTED.finditer(leaf.value):
        raw = match[1]
        value = unescape(raw) if "\\" in raw else raw
        if value != raw:
            inner = JsonText(value, match.start() + 1, raw, leaf.key, within=placed)
            yield inner
            if "\\" in value:
                yield from _nested_texts(inner)


def _decoded(raw: str) -> str:
    value: str = json.loads(f'"{raw}"', strict=False)
    return value


def is_blob(leaf: JsonText) -> bool:
    """Whether it is the bytes of an image, of sound or of a file, and no text."""
    return leaf.key in BLOBS and len(leaf.value) >= _MIN_BLOB and _BLOB.fullmatch(leaf.value) is not None
