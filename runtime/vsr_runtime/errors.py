"""The exception whose message is shown to the user."""

from __future__ import annotations

from collections.abc import Iterable


class UserError(Exception):
    """An error that the user can fix. The message is one line: what is wrong, where, and the remedy."""


def config_error(place: str, reason: str, file: str = "config.yaml") -> UserError:
    """Return the error for a place in a configuration file."""
    return UserError(f"{file}: {place}: {reason}")


def check_unique(place: str, names: Iterable[str]) -> None:
    """Check that no name occurs twice.

    Raises:
        UserError: a name is duplicated.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise config_error(place, f"{name!r} is duplicated")
        seen.add(name)
