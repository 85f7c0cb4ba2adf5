"""Deadlines of long-running work."""

from __future__ import annotations

from collections.abc import Callable

Expired = Callable[[], bool]
"""Returns whether the deadline has passed. Long work calls it between steps."""


class DeadlineExceededError(Exception):
    """The deadline passed before the work was done."""


def never() -> bool:
    """Return False: a deadline that never expires."""
    return False


def check_deadline(expired: Expired) -> None:
    """Raise if the deadline has passed.

    Raises:
        DeadlineExceededError: the deadline has passed.
    """
    if expired():
        raise DeadlineExceededError
