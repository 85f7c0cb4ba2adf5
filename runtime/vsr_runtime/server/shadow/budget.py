"""The CPU time that a candidate may use: a share of what the server uses, so that it never makes up much of it."""

from __future__ import annotations

import time
from collections.abc import Callable

SHARE = 0.04
"""The candidate's share of the process's CPU time. What it costs to hand requests over comes on top."""
IDLE = 0.002
"""The share of one core that it may use if the server has little to do."""
BURST = 0.1
"""Seconds of CPU time that it may save up."""


class CpuBudget:
    """CPU time that is earned by the server's work and spent by the candidate's.

    Args:
        used: seconds of CPU time that the process has used.
        clock: seconds that have passed.
    """

    def __init__(
        self, used: Callable[[], float] = time.process_time, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._used, self._clock = used, clock
        self._last = used(), clock()
        self._credit = BURST

    def ready(self) -> bool:
        """Return whether any is left."""
        used, now = self._used(), self._clock()
        before, then = self._last
        self._last = used, now
        earned = max(SHARE * (used - before), IDLE * (now - then))
        self._credit = min(BURST, self._credit + earned)
        return self._credit > 0

    def spend(self, seconds: float) -> None:
        """Subtract what was used."""
        self._credit -= seconds
