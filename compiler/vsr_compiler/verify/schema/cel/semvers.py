"""The CEL library of Kubernetes for semantic versions. Source: k8s.io/apiserver, blang/semver 4."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.verify.schema.cel.values import CelError, type_name

_NUMBER = re.compile(r"0|[1-9][0-9]*")
_WORD = re.compile(r"[0-9A-Za-z-]+")
_DIGITS = re.compile(r"[0-9]+")
MAX_TEXT = 65_536
_LIMIT = 1 << 64


@dataclass(frozen=True, slots=True, eq=False)
class Semver:
    """A semantic version; build metadata does not count in comparisons."""

    major: int
    minor: int
    patch: int
    pre: tuple[tuple[int, int, str], ...] = ()
    build: tuple[str, ...] = field(default=())

    @property
    def order(self) -> tuple[Any, ...]:
        """A key that sorts versions by precedence."""
        return (self.major, self.minor, self.patch, not self.pre, self.pre)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Semver) and self.order == other.order

    def __hash__(self) -> int:
        return hash(self.order)


def _number(text: str) -> int | None:
    # A number of more digits does not fit into 64 bits.
    if not _NUMBER.fullmatch(text) or len(text) > 20:  # noqa: PLR2004 - as above
        return None
    return int(text) if int(text) < _LIMIT else None


def _pre(text: str) -> tuple[int, int, str] | None:
    """Return an identifier of a pre-release so that numbers sort before words."""
    if _DIGITS.fullmatch(text):
        number = _number(text)
        return None if number is None else (0, number, "")
    return (1, 0, text) if _WORD.fullmatch(text) else None


def parse(text: str) -> Semver | None:
    """Return the version in a string such as `1.2.3-rc.1+build`; None if it is not one."""
    parts = text.split(".", 2)
    if len(parts) != len(("major", "minor", "patch")) or len(text) > MAX_TEXT:
        return None
    rest, plus, build = parts[2].partition("+")
    patch, dash, pre = rest.partition("-")
    numbers = [_number(part) for part in (parts[0], parts[1], patch)]
    identifiers = [_pre(part) for part in pre.split(".")] if dash else []
    builds = build.split(".") if plus else []
    if None in numbers or None in identifiers or not all(_WORD.fullmatch(part) for part in builds):
        return None
    major, minor, last = (number or 0 for number in numbers)
    return Semver(major, minor, last, tuple(each for each in identifiers if each is not None), tuple(builds))


def _normalized(text: str) -> str | None:
    """Return the version with three parts, and without `v` and leading zeros; None if it is short but has a suffix."""
    parts = text.removeprefix("v").split(".", 2)
    for at, part in enumerate(parts):
        if len(part) > 1:
            stripped = part.lstrip("0")
            parts[at] = stripped if stripped[:1] in set("0123456789") and stripped else f"0{stripped}"
    missing = len(("major", "minor", "patch")) - len(parts)
    if missing and set(parts[-1]) & {"+", "-"}:
        return None
    return ".".join([*parts, *["0"] * missing])


def _parse(text: Any, normalize: bool = False) -> Semver | None:  # noqa: ANN401, FBT001, FBT002 - arguments of CEL
    if not isinstance(text, str) or not isinstance(normalize, bool):
        raise CelError(f"{type_name(text)} is not a string")
    found = _normalized(text) if normalize else text
    return None if found is None else parse(found)


def semver(text: Any, normalize: bool = False) -> Semver:  # noqa: ANN401, FBT001, FBT002 - arguments of CEL
    """Implement `semver(x)` and `semver(x, normalize)`."""
    found = _parse(text, normalize)
    if found is None:
        raise CelError(f"`{str(text)[:30]}` is not a semantic version")
    return found


def compare(first: Semver, second: Semver) -> int:
    """Return -1, 0 or 1."""
    return (first.order > second.order) - (first.order < second.order)


def _int64(number: int) -> int:
    """Return an unsigned number of 64 bits as Go converts it to a signed one."""
    return number - _LIMIT if number >= _LIMIT >> 1 else number


FUNCTIONS: dict[str, Callable[..., Any]] = {"semver": semver, "isSemver": lambda *args: _parse(*args) is not None}
METHODS: dict[str, Callable[..., Any]] = {
    "major": lambda value: _int64(value.major),
    "minor": lambda value: _int64(value.minor),
    "patch": lambda value: _int64(value.patch),
}
