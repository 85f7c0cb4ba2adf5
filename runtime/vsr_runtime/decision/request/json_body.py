"""Strict JSON parser for request bodies that records the position of each member for edits in place.

Anything that two parsers could read differently is rejected, since the model server could otherwise see another request
than the one that was decided on: duplicate keys at any depth, top-level keys that differ only in case, a byte order
mark, encodings other than UTF-8, NaN, lone surrogates, and deep nesting.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cached_property
from itertools import accumulate
from typing import NoReturn

from vsr_runtime.decision.deadline import Expired, check_deadline, never
from vsr_runtime.decision.fast_dataclass import fast_dataclass
from vsr_runtime.decision.request.events import Cause

MAX_DEPTH = 128
MAX_CONTAINERS = 500_000
"""Objects and lists of a body. Each takes some hundred bytes when parsed, whatever it takes in the body."""
TOO_COMPLEX = Cause.TOO_COMPLEX.value
_STEPS_PER_BYTE = 8

_TEXT_VALUE = re.compile(r'[ \t\n\r]*:[ \t\n\r]*("[^"\\]*")')
_BLANK = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
"""A text. Without a closing quote, which no JSON has, it extends to the end, so that the search stays linear."""
_NO_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEP = {byte: 1 if byte in b"[{" else -1 for byte in b"[]{}"}
_SLICE = 1 << 16
"""Brackets between two checks of the deadline."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


@fast_dataclass(frozen=True, slots=True)
class MemberSpan:
    """Position of a member: start of its key (of an element: its value), start of its value, end."""

    start: int
    value: int
    end: int


@fast_dataclass(frozen=True, slots=True)
class Members:
    """The members of an object by key, the position after its opening bracket, and that after its closing one."""

    opened: int
    end: int
    spans: Mapping[str, MemberSpan]


class BodyError(ValueError):
    """The body is not a JSON object that all parsers read alike. The message quotes nothing of the body."""

    def __init__(self, message: str, code: str = "invalid_json") -> None:
        super().__init__(message)
        self.code = code


@fast_dataclass(frozen=True)
class JsonBody:
    """A parsed body: its text and its top-level values."""

    text: str
    values: Mapping[str, object]

    @cached_property
    def members(self) -> Members:
        """Positions of the top-level members. Computed on demand, because most requests need at most one."""
        return scan_object(self.text, 0)[1]

    def position_of_text(self, key: str) -> tuple[int, int] | None:
        """Return the position of a top-level key's value if it is a plain string that can be found without a parser.

        Without escaped characters a key is written as it is. If its quoted form occurs once, that is the key.
        """
        quoted = f'"{key}"'
        if "\\u" in self.text or self.text.count(quoted) != 1 or key not in self.values:
            return None
        match = _TEXT_VALUE.match(self.text, self.text.index(quoted) + len(quoted))
        return match.span(1) if match else None


def read_body(data: bytes, expired: Expired = never) -> JsonBody:
    """Parse a JSON object.

    Raises:
        BodyError: the body is not one, parsers could read it differently, or it has too many values.
        DeadlineExceededError: the deadline passed first.
    """
    check_deadline(expired, len(data) * _STEPS_PER_BYTE)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BodyError("The body is not UTF-8.") from None
    if text.startswith("\ufeff"):
        raise BodyError("The body starts with a byte order mark.")
    # Counting brackets is fast, and a body with few of them cannot be deep.
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH:
        _check_structure(data, expired)
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


def _check_structure(data: bytes, expired: Expired) -> None:
    """Reject a body that is nested too deeply or has too many objects and lists.

    Exact for JSON; for anything else up to the position where the parser stops.
    """
    brackets = _STRING.sub(b"", data).translate(None, _NO_BRACKET)
    if brackets.count(b"[") + brackets.count(b"{") > MAX_CONTAINERS:
        raise BodyError(f"The body has more than {MAX_CONTAINERS} objects and lists.", TOO_COMPLEX)
    depth = 0
    for start in range(0, len(brackets), _SLICE):
        steps = map(_STEP.__getitem__, brackets[start : start + _SLICE])
        depths = list(accumulate(steps, initial=depth))
        if max(depths) > MAX_DEPTH:
            raise BodyError(f"The body is nested deeper than {MAX_DEPTH} levels.")
        depth = depths[-1]
        check_deadline(expired)


def _parse_object(text: str) -> dict[str, object]:
    """Return the object that a text consists of."""
    values, end = _DECODER.raw_decode(text, _skip_blank(text, 0))
    if not isinstance(values, dict) or _skip_blank(text, end) != len(text):
        raise ValueError
    return values


def scan_object(text: str, at: int) -> tuple[dict[str, object], Members]:
    """Scan one level of an object and record the position of each member. Values are parsed by the C scanner.

    Raises:
        ValueError: there is no object at this position, or it has a duplicate key.
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
    """Scan one level of a list and record the positions of its elements.

    Raises:
        ValueError: there is no list at this position.
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
    """Return the position after a character and the blanks around it."""
    at = _skip_blank(text, at)
    if text[at : at + 1] != mark:
        raise ValueError
    return _skip_blank(text, at + 1)


def _skip_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


def _check_keys(values: Mapping[str, object]) -> None:
    """Reject keys that differ only in case, which some servers treat as duplicates."""
    if len({key.casefold() for key in values}) != len(values):
        raise BodyError("The body has keys that differ only in case.", "duplicate_key")


def _check_surrogates(values: Mapping[str, object]) -> None:
    try:
        json.dumps(values, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        raise BodyError("The body has half of a surrogate pair.") from None


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values = dict(pairs)
    if len(values) != len(pairs):
        _raise_duplicate()
    return values


def _raise_duplicate() -> NoReturn:
    raise BodyError("The body has a duplicate key.", "duplicate_key")


def _no_constant(_: str) -> NoReturn:
    """Reject NaN, Infinity and -Infinity, which Python accepts and JSON does not."""
    raise ValueError


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_no_constant)
