"""Reads a JSON body strictly, and remembers where each value stands, so that an edit can leave the rest alone.

What two parsers could read differently is refused, since the server behind might then see another request than the one
that was decided on: duplicate keys at any depth, keys of the top level that differ only in case, a byte order mark,
other encodings than UTF-8, NaN, lone surrogates, and nesting that one parser bears and another does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate
from typing import NoReturn

from vsr_runtime.decision.fast_dataclass import fast_dataclass

MAX_DEPTH = 128

_TEXT_VALUE = re.compile(r'[ \t\n\r]*:[ \t\n\r]*("[^"\\]*")')
_BLANK = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NO_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEP = {byte: 1 if byte in b"[{" else -1 for byte in b"[]{}"}
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


@fast_dataclass(frozen=True, slots=True)
class MemberSpan:
    """Where a member stands in the text: from its key (of an element: its value) on, its value, its end."""

    start: int
    value: int
    end: int


@fast_dataclass(frozen=True, slots=True)
class Members:
    """The members of an object by key, the place behind its opening bracket, and that behind its closing one."""

    opened: int
    end: int
    spans: Mapping[str, MemberSpan]


class BodyError(ValueError):
    """The body is no JSON object that everybody reads alike. The message says why; it quotes nothing of the body."""

    def __init__(self, message: str, code: str = "invalid_json") -> None:
        super().__init__(message)
        self.code = code


@fast_dataclass(frozen=True)
class JsonBody:
    """A body that was read: its text and its top-level values."""

    text: str
    values: Mapping[str, object]

    @cached_property
    def members(self) -> Members:
        """Where each top-level member stands in the text; found on demand, as most bodies need one place at most."""
        return scan_object(self.text, 0)[1]

    def place_of_text(self, key: str) -> tuple[int, int] | None:
        """Where the value of a top-level key stands, if it is a plain string and that can be told at a glance.

        Without an escaped character a key is spelled as it is; where its quoted spelling occurs once, that is the key.
        """
        quoted = f'"{key}"'
        if "\\u" in self.text or self.text.count(quoted) != 1 or key not in self.values:
            return None
        found = _TEXT_VALUE.match(self.text, self.text.index(quoted) + len(quoted))
        return found.span(1) if found else None


def read_body(data: bytes) -> JsonBody:
    """Read a JSON object.

    Raises:
        BodyError: it is none, or one that parsers read differently.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BodyError("The body is not UTF-8.") from None
    if text.startswith("\ufeff"):
        raise BodyError("The body starts with a byte order mark.")
    # Counting brackets is quick, and what has few of them cannot be deep.
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _depth(data) > MAX_DEPTH:
        raise BodyError(f"The body is nested deeper than {MAX_DEPTH} levels.")
    try:
        values = _parse_object(text)
    except BodyError:
        raise
    except (ValueError, RecursionError):
        raise BodyError("The body is not valid JSON.") from None
    _check_keys(values)
    if "\\u" in text and _SURROGATE.search(text):
        _check_surrogates(values)
    return JsonBody(text, values)


def _depth(data: bytes) -> int:
    """The deepest nesting, exact for JSON. For anything else it is exact up to the place where the parser stops."""
    brackets = _STRING.sub(b"", data).translate(None, _NO_BRACKET)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _parse_object(text: str) -> dict[str, object]:
    """The object that a text is, with nothing but blanks around it."""
    values, end = _DECODER.raw_decode(text, _skip_blank(text, 0))
    if not isinstance(values, dict) or _skip_blank(text, end) != len(text):
        raise ValueError
    return values


def scan_object(text: str, at: int) -> tuple[dict[str, object], Members]:
    """Walk one level of an object by hand, so that the place of each member is known.

    The values are left to the C scanner.

    Raises:
        ValueError: there is no object at this place, or a key stands in it twice.
    """
    values: dict[str, object] = {}
    spans: dict[str, MemberSpan] = {}
    at = opened = _expect(text, at, "{")
    while text[at : at + 1] != "}" or spans:
        if text[at : at + 1] != '"':
            raise ValueError
        start = at
        key, at = _DECODER.raw_decode(text, at)
        begin = _expect(text, at, ":")
        value, at = _DECODER.raw_decode(text, begin)
        if key in values:
            _raise_duplicate()
        values[key], spans[key] = value, MemberSpan(start, begin, at)
        at = _skip_blank(text, at)
        if text[at : at + 1] == "}":
            break
        at = _expect(text, at, ",")
    return values, Members(opened, at + 1, spans)


def scan_list(text: str, at: int) -> tuple[list[object], list[MemberSpan]]:
    """Walk one level of a list: its elements and their places.

    Raises:
        ValueError: there is no list at this place.
    """
    values: list[object] = []
    spans: list[MemberSpan] = []
    at = _expect(text, at, "[")
    while text[at : at + 1] != "]" or spans:
        start = at
        value, at = _DECODER.raw_decode(text, at)
        values.append(value)
        spans.append(MemberSpan(start, start, at))
        at = _skip_blank(text, at)
        if text[at : at + 1] == "]":
            break
        at = _expect(text, at, ",")
    return values, spans


def _expect(text: str, at: int, mark: str) -> int:
    """The place after a mark and the blanks around it."""
    at = _skip_blank(text, at)
    if text[at : at + 1] != mark:
        raise ValueError
    return _skip_blank(text, at + 1)


def _skip_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _check_keys(values: Mapping[str, object]) -> None:
    """Some servers match keys without regard to case: to them these would be duplicates."""
    if len({key.casefold() for key in values}) != len(values):
        raise BodyError("The body has keys that differ only in case.", "duplicate_key")


def _check_surrogates(values: Mapping[str, object]) -> None:
    try:
        json.dumps(values, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise BodyError("The body has half of a surrogate pair.") from None


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _raise_duplicate()
    return found


def _raise_duplicate() -> NoReturn:
    raise BodyError("The body has a key twice.", "duplicate_key")


def _no_constant(_: str) -> NoReturn:
    """NaN, Infinity and -Infinity are Python's words, not JSON's."""
    raise ValueError


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_no_constant)
