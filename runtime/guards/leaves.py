"""Every text of a JSON document with its place: values, keys, long numbers, and texts inside texts.

The walk knows nothing of any API, so that no field can be forgotten. What it leaves out are the APIs' own words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from runtime.guards.api_words import BLOBS, KEYS, NAMING, VALUES
from runtime.program.view import Expired, OutOfTimeError, never

_TOKEN = re.compile(r'"([^"\\]*+(?:\\.[^"\\]*+)*+)"([ \t\r\n]*+:)?|[{}\[\]]|-?[0-9][0-9.eE+-]*+', re.DOTALL)
_ESCAPE = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.", re.DOTALL)
_BLOB = re.compile(r"(?:data:[^,]{0,200},)?[A-Za-z0-9+/=_-]*+")
_LEAST_BLOB = 64
_DIGITS = 7
"""A number of fewer digits tells nothing."""
_STEPS = 2048
"""Tokens between two looks at the clock."""


@dataclass(frozen=True, slots=True)
class Leaf:
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
    within: Placed | None = None


@dataclass(frozen=True)
class Placed:
    """Finds the place in the document for a place in a leaf's value."""

    leaf: Leaf

    def at(self, index: int) -> int:
        """Where the character of this index begins in the document; the length of the value gives the end."""
        leaf = self.leaf
        place = leaf.start + (index if self._offsets is None else self._offsets[index])
        return place if leaf.within is None else leaf.within.at(place)

    @cached_property
    def _offsets(self) -> Sequence[int] | None:
        if "\\" not in self.leaf.raw:
            return None
        found: list[int] = []
        last = 0
        for match in _ESCAPE.finditer(self.leaf.raw):
            found += range(last, match.start() + 1)
            last = match.end()
        return [*found, *range(last, len(self.leaf.raw) + 1)]

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


def leaves(text: str, expired: Expired = never) -> Iterator[Leaf]:
    """All texts of a JSON document, in their order.

    Args:
        text: the document, valid JSON.
        expired: says when the time is up.

    Raises:
        OutOfTimeError: the time was up first.
    """
    frames: list[_Frame] = []
    for count, match in enumerate(_TOKEN.finditer(text)):
        if count % _STEPS == 0 and expired():
            raise OutOfTimeError
        mark = match[0]
        if mark in "{[":
            top = frames[-1] if frames else None
            lists = top.number if top and top.is_list else None
            frames.append(_Frame(count, mark == "[", top.key if top else "", lists))
        elif mark in "}]":
            frames.pop()
        elif mark[0] == '"':
            yield from _string(match, frames)
        elif len(frames) > 1 and sum(map(str.isdigit, mark)) >= _DIGITS:
            yield Leaf(mark, match.start(), mark, frames[-1].key, quoted=False)


def _string(match: re.Match[str], frames: list[_Frame]) -> Iterator[Leaf]:
    raw = match[1]
    value = _decoded(raw) if "\\" in raw else raw
    top = frames[-1] if frames else None
    if match[2] is not None and top:
        top.key = value
        if value not in KEYS:
            yield Leaf(value, match.start() + 1, raw, value)
        return
    key = top.key if top else ""
    if not value or (key in NAMING and value in VALUES):
        return
    run = top.parent if top and not top.is_list and key == "text" else None
    leaf = Leaf(value, match.start() + 1, raw, key, run)
    yield leaf
    if "\\" in value:
        yield from _inner(leaf)


def _inner(leaf: Leaf) -> Iterator[Leaf]:
    """Texts with escapes inside a text that is JSON itself, such as a call's arguments."""
    placed = Placed(leaf)
    for match in _TOKEN.finditer(leaf.value):
        raw = match[1]
        if raw is not None and "\\" in raw:
            try:
                value = _decoded(raw)
            except ValueError:
                continue
            yield Leaf(value, match.start() + 1, raw, leaf.key, within=placed)


def _decoded(raw: str) -> str:
    value: str = json.loads(f'"{raw}"', strict=False)
    return value


def is_blob(leaf: Leaf) -> bool:
    """Whether it is the bytes of an image, of sound or of a file, and no text."""
    return leaf.key in BLOBS and len(leaf.value) >= _LEAST_BLOB and _BLOB.fullmatch(leaf.value) is not None
