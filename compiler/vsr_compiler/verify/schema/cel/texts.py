"""Functions on strings and lists of strings. Patterns use RE2, which takes linear time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vsr_compiler.verify.schema import patterns
from vsr_compiler.verify.schema.cel.text_format import formatted
from vsr_compiler.verify.schema.cel.values import MAX_SIZE, CelError, UnsupportedError, type_name

_QUOTES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b", "\f": "\\f"}
_QUOTES["\v"] = "\\v"
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code + 32: code for code in _LOWER}
_SPACES = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f"
)
_SPACES += "\u205f\u3000"
"""The white space of Unicode, which Go trims; Python's has more."""


def matches(text: str, pattern: str) -> bool:
    """Implement `x.matches(pattern)`."""
    _texts(text, pattern)
    return _compiled(pattern).search(text) is not None


def _compiled(pattern: str) -> Any:  # noqa: ANN401 - re2 has no types
    if len(pattern) > patterns.MAX_PATTERN:
        raise UnsupportedError("the pattern is too long")
    found = patterns.compiled(pattern)
    if found is None:
        raise CelError(f"`{pattern[:60]}` is not a valid pattern")
    return found


def _texts(*values: object) -> None:
    for value in values:
        if not isinstance(value, str):
            raise CelError(f"{type_name(value)} is not a string")


def _find(text: str, pattern: str) -> str:
    _texts(text, pattern)
    found = _compiled(pattern).search(text)
    return "" if found is None else str(found.group(0))


def _find_all(text: str, pattern: str, limit: int = -1) -> list[str]:
    _texts(text, pattern)
    found: list[str] = []
    end = -1
    for match in _compiled(pattern).finditer(text):
        if 0 <= limit <= len(found):
            break
        # Go ignores an empty match right behind another match.
        if match.start() != match.end() or match.start() != end:
            found.append(str(match.group(0)))
        end = match.end()
    return found


def _contains(text: str, part: str) -> bool:
    _texts(text, part)
    return part in text


def _starts(text: str, part: str) -> bool:
    _texts(text, part)
    return text.startswith(part)


def _ends(text: str, part: str) -> bool:
    _texts(text, part)
    return text.endswith(part)


def index_of(text: str, part: str, start: int = 0) -> int:
    """Implement `x.indexOf(part)` and `x.indexOf(part, start)`."""
    _texts(text, part)
    if start < 0:
        raise CelError(f"index out of range: {start}")
    if not part:
        return min(start, len(text))
    return text.find(part, start)


def last_index_of(text: str, part: str, start: int | None = None) -> int:
    """Implement `x.lastIndexOf(part)` and `x.lastIndexOf(part, start)`."""
    _texts(text, part)
    if start is None:
        return text.rfind(part)
    if start < 0:
        raise CelError(f"index out of range: {start}")
    if not part:
        return min(start, len(text))
    return -1 if start >= len(text) else text.rfind(part, 0, start + len(part))


def _substring(text: str, start: int, *end: int) -> str:
    _texts(text)
    stop = end[0] if end else len(text)
    if not 0 <= start <= stop <= len(text):
        raise CelError(f"index out of range: {start}, {stop}")
    return text[start:stop]


def _char(text: str, at: int) -> str:
    _texts(text)
    if not 0 <= at <= len(text):
        raise CelError(f"index out of range: {at}")
    return text[at : at + 1]


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    _texts(text, old, new)
    if len(text) + (text.count(old) if limit < 0 else min(limit, text.count(old))) * len(new) > MAX_SIZE:
        raise CelError("the result is too long")
    return text.replace(old, new, limit)


def _split(text: str, by: str, limit: int = -1) -> list[str]:
    _texts(text, by)
    if limit == 0:
        return []
    if not by:
        return list(text) if limit < 0 else [*text[: limit - 1], *([text[limit - 1 :]] if text[limit - 1 :] else [])]
    return text.split(by, -1 if limit < 0 else limit - 1)


def join(values: list[str], by: str = "") -> str:
    """Implement `[…].join(by)`."""
    if not isinstance(values, list):
        raise TypeError
    _texts(*values, by)
    if sum(map(len, values)) + len(values) * len(by) > MAX_SIZE:
        raise CelError("the result is too long")
    return by.join(values)


def quote(text: str) -> str:
    """Implement `strings.quote(x)`."""
    _texts(text)
    return '"' + "".join(_QUOTES.get(character, character) for character in text) + '"'


METHODS: dict[str, Callable[..., Any]] = {
    "matches": matches,
    "find": _find,
    "findAll": _find_all,
    "contains": _contains,
    "startsWith": _starts,
    "endsWith": _ends,
    "substring": _substring,
    "charAt": _char,
    "replace": _replace,
    "split": _split,
    "join": join,
    "format": formatted,
    "lowerAscii": lambda text: text.translate(_LOWER),
    "upperAscii": lambda text: text.translate(_UPPER),
    "trim": lambda text: text.strip(_SPACES),
}
"""Methods of strings and of lists of strings."""
