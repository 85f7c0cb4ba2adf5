"""Reads a JSON body strictly, and replaces its model without touching another byte.

What two parsers could read differently is refused, since the server behind might then see another request than the one
that was decided on: duplicate keys at any depth, keys of the top level that differ only in case, a byte order mark,
other encodings than UTF-8, NaN, lone surrogates, and nesting that one parser bears and another does not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import NoReturn

MAX_DEPTH = 128

_BLANK = re.compile(r"[ \t\n\r]*")
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
_NO_BRACKET = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEP = {byte: 1 if byte in b"[{" else -1 for byte in b"[]{}"}
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class BodyError(ValueError):
    """The body is no JSON object that everybody reads alike. The message says why; it quotes nothing of the body."""

    def __init__(self, message: str, code: str = "invalid_json") -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Body:
    """A body that was read: its text, its top-level values, and where each value stands in the text."""

    text: str
    values: Mapping[str, object]
    spans: Mapping[str, tuple[int, int]]

    def with_model(self, model: str) -> bytes:
        """The body with another value of the top-level ``model``, every other byte as it was."""
        start, end = self.spans["model"]
        return (self.text[:start] + json.dumps(model) + self.text[end:]).encode("utf-8")


def read_body(data: bytes) -> Body:
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
    if _depth(data) > MAX_DEPTH:
        raise BodyError(f"The body is nested deeper than {MAX_DEPTH} levels.")
    try:
        values, spans = _read_object(text)
    except BodyError:
        raise
    except (ValueError, RecursionError):
        raise BodyError("The body is not valid JSON.") from None
    _check_keys(values)
    if _SURROGATE.search(text):
        _check_surrogates(values)
    return Body(text, values, spans)


def _depth(data: bytes) -> int:
    """The deepest nesting, exact for JSON. For anything else it is exact up to the place where the parser stops."""
    brackets = _STRING.sub(b"", data).translate(None, _NO_BRACKET)
    return max(accumulate(map(_STEP.__getitem__, brackets)), default=0)


def _read_object(text: str) -> tuple[dict[str, object], dict[str, tuple[int, int]]]:
    """Walk the top level by hand, so that the place of each value is known; the values are left to the C scanner."""
    values: dict[str, object] = {}
    spans: dict[str, tuple[int, int]] = {}
    at = _expect(text, 0, "{")
    if text[at : at + 1] == "}":
        return _finish(text, at + 1, values, spans)
    while True:
        if text[at : at + 1] != '"':
            raise ValueError
        key, at = _DECODER.raw_decode(text, at)
        start = _expect(text, at, ":")
        value, at = _DECODER.raw_decode(text, start)
        if key in values:
            _twice()
        values[key], spans[key] = value, (start, at)
        at = _blank(text, at)
        if text[at : at + 1] == "}":
            return _finish(text, at + 1, values, spans)
        at = _expect(text, at, ",")


def _finish(
    text: str, at: int, values: dict[str, object], spans: dict[str, tuple[int, int]]
) -> tuple[dict[str, object], dict[str, tuple[int, int]]]:
    if _blank(text, at) != len(text):
        raise ValueError
    return values, spans


def _expect(text: str, at: int, mark: str) -> int:
    """The place after a mark and the blanks around it."""
    at = _blank(text, at)
    if text[at : at + 1] != mark:
        raise ValueError
    return _blank(text, at + 1)


def _blank(text: str, at: int) -> int:
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


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _twice()
    return found


def _twice() -> NoReturn:
    raise BodyError("The body has a key twice.", "duplicate_key")


def _no_constant(_: str) -> NoReturn:
    """NaN, Infinity and -Infinity are Python's words, not JSON's."""
    raise ValueError


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_no_constant)
