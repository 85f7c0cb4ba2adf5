"""Functions on strings and lists of strings. Patterns use RE2, which takes linear time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from vsr_compiler.verify.schema import patterns
from vsr_compiler.verify.schema.cel.values import MAX_SIZE, CelError, Duration, ordered, type_name

_QUOTES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r", "\a": "\\a", "\b": "\\b", "\f": "\\f"}
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
_UPPER = {code + 32: code for code in _LOWER}


def matches(text: str, pattern: str) -> bool:
    """Implement `x.matches(pattern)`."""
    _texts(text, pattern)
    return _compiled(pattern).search(text) is not None


def _compiled(pattern: str) -> Any:  # noqa: ANN401 - re2 has no types
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
    found = [str(each.group(0)) for each in _compiled(pattern).finditer(text)]
    return found if limit < 0 else found[:limit]


def _contains(text: str, part: str) -> bool:
    _texts(text, part)
    return part in text


def _starts(text: str, part: str) -> bool:
    _texts(text, part)
    return text.startswith(part)


def _ends(text: str, part: str) -> bool:
    _texts(text, part)
    return text.endswith(part)


def _substring(text: str, start: int, *end: int) -> str:
    stop = end[0] if end else len(text)
    if not 0 <= start <= stop <= len(text):
        raise CelError(f"index out of range: {start}, {stop}")
    return text[start:stop]


def _char(text: str, at: int) -> str:
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


def _join(values: list[str], by: str = "") -> str:
    _texts(*values, by)
    if sum(map(len, values)) + len(values) * len(by) > MAX_SIZE:
        raise CelError("the result is too long")
    return by.join(values)


def quote(text: str) -> str:
    """Implement `strings.quote(x)`."""
    return '"' + "".join(_QUOTES.get(character, character) for character in text) + '"'


def _format(template: str, values: list[Any]) -> str:
    """Implement `'%s has %d'.format([…])`."""
    parts, rest, at = [], list(values), 0
    while at < len(template):
        character = template[at]
        at += 1
        if character != "%":
            parts.append(character)
            continue
        digits = ""
        if template[at : at + 1] == ".":
            digits = "".join(_leading_digits(template[at + 1 : at + 4]))
            at += 1 + len(digits)
        conversion = template[at : at + 1]
        at += 1
        if conversion == "%":
            parts.append("%")
            continue
        if not rest:
            raise CelError("fewer values than placeholders in the format")
        parts.append(_formatted(conversion, int(digits or 6), rest.pop(0)))
    return _join(parts)


def _leading_digits(text: str) -> list[str]:
    found = []
    for character in text:
        if not character.isdecimal():
            break
        found.append(character)
    return found


def _formatted(conversion: str, digits: int, value: Any) -> str:  # noqa: ANN401 - any value
    if conversion == "s":
        return _shown(value)
    if conversion in "dboxX" and conversion and isinstance(value, int) and not isinstance(value, bool):
        return format(int(value), conversion)
    if conversion in "xX" and conversion and isinstance(value, str | bytes):
        shown = (value.encode() if isinstance(value, str) else value).hex()
        return shown.upper() if conversion == "X" else shown
    if conversion in "fe" and conversion and isinstance(value, int | float) and not isinstance(value, bool):
        return format(float(value), f".{min(digits, 30)}{conversion}")
    raise CelError(f"`%{conversion}` does not accept {type_name(value)}")


def _shown(value: Any) -> str:  # noqa: ANN401, PLR0911 - any value; one return for each type
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{_join([_shown(item) for item in value], ', ')}]"
    if isinstance(value, dict):
        return "{" + _join([f"{_shown(key)}: {_shown(item)}" for key, item in value.items()], ", ") + "}"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < MAX_SIZE else repr(value)
    if isinstance(value, Duration):
        return f"{value.nanos / 1e9:g}s"
    return str(value)


def ranged(count: int) -> list[int]:
    """Implement `lists.range(n)`."""
    if not 0 <= count <= 100_000:  # noqa: PLR2004 - limit of results
        raise CelError("the result is too long")
    return list(range(count))


def sort(values: list[Any]) -> list[Any]:
    """Implement `[…].sort()`."""
    return sorted(values, key=cmp_to_key(ordered))


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
    "join": _join,
    "format": _format,
    "lowerAscii": lambda text: text.translate(_LOWER),
    "upperAscii": lambda text: text.translate(_UPPER),
    "trim": lambda text: text.strip(),
}
"""Methods of strings and of lists of strings."""
