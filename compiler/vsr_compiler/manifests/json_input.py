"""Strict reading of small JSON files that users may have edited: bounded, without duplicate keys."""

from __future__ import annotations

import json
import re
from typing import Any

from vsr_compiler.manifests.tree import unsafe

LIMIT = 64 * 1024 * 1024  # bytes of a lock, a journal, or a file read for reuse
MOST_FILES = 200_000
_LONGEST_TEXT = 1024
_SHA256 = re.compile(r"[0-9a-f]{64}")


class BrokenError(ValueError):
    """The reason why a file is invalid, as the end of a sentence."""


def document(content: bytes) -> object:
    """Parse a JSON text. Raises BrokenError."""
    if len(content) > LIMIT:
        raise BrokenError(f"it is over {LIMIT} bytes long")
    try:
        return json.loads(content.decode(), object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise BrokenError("it is not UTF-8 text") from error
    except json.JSONDecodeError as error:
        raise BrokenError(f"it is not JSON: {error.msg} in line {error.lineno}") from error
    except RecursionError as error:
        raise BrokenError("it is nested too deeply") from error
    except BrokenError:
        raise
    except ValueError as error:  # an integer of more digits than Python converts
        raise BrokenError("it contains a number out of range") from error


def mapping(value: object, name: str) -> dict[str, Any]:
    """Return the value if it is an object of bounded size. Raises BrokenError."""
    if not isinstance(value, dict):
        raise BrokenError(f"{name} is not an object")
    if len(value) > MOST_FILES:
        raise BrokenError(f"{name} has over {MOST_FILES} entries")
    return value


def fields(value: object, name: str, required: set[str], optional: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Return the value if it is an object with exactly these keys. Raises BrokenError."""
    entries = mapping(value, name)
    if missing := sorted(required - entries.keys()):
        raise BrokenError(f"{name} lacks {missing[0]!r}")
    if unknown := sorted(entries.keys() - required - optional):
        raise BrokenError(f"{name} has the unknown key {unknown[0][:40]!r}; a newer vsr-compile may have written it")
    return entries


def text(value: object, name: str) -> str:
    """Return the value if it is a short text of one line. Raises BrokenError."""
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not value.isprintable():
        raise BrokenError(f"{name} is not a short text")
    return value


def digest(value: object, name: str) -> str:
    """Return the value if it is a sha256 in hex. Raises BrokenError."""
    if not isinstance(value, str) or not _SHA256.fullmatch(value):
        raise BrokenError(f"{name} is not a sha256")
    return value


def path(value: str) -> str:
    """Return the value if it is a path that stays inside its folder. Raises BrokenError."""
    if reason := unsafe(value):
        raise BrokenError(f"the path {value[:80]!r} {reason}")
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) < len(pairs):
        raise BrokenError("it has a duplicate key")
    return entries


def _no_constant(name: str) -> object:
    raise BrokenError(f"it contains {name}")
