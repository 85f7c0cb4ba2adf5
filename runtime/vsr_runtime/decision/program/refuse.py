"""How a config is refused: the place in the file's own words, the reason, and what to do."""

from __future__ import annotations

from collections.abc import Iterable

from vsr_runtime.errors import UserError


def refuse(place: str, reason: str, file: str = "config.yaml") -> UserError:
    """The error to raise."""
    return UserError(f"{file}: {place}: {reason}")


def unique(place: str, names: Iterable[str]) -> None:
    """Check that no name stands twice.

    Raises:
        UserError: one does.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise refuse(place, f"{name!r} stands there twice")
        seen.add(name)
