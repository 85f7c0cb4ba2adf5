"""Leaves a server that failed alone for a while."""

from __future__ import annotations

_FIRST, _LONGEST = 1.0, 30.0
"""Seconds after the first failure, and after many."""


class Circuit:
    """Whether a server is asked: not for a second after a failure, doubled by each further one up to half a minute."""

    def __init__(self) -> None:
        self._until = 0.0
        self._pause = 0.0

    def allows(self, now: float) -> bool:
        """Return whether the server is asked at a time."""
        return now >= self._until

    def failed(self, now: float) -> None:
        """Record a failure. Those of calls that were under way together count once."""
        if now >= self._until:
            self._pause = min(self._pause * 2 or _FIRST, _LONGEST)
            self._until = now + self._pause

    def worked(self) -> None:
        """Record an answer."""
        self._pause = 0.0
