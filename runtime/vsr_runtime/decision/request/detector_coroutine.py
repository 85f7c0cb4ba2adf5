"""Work that detectors must be asked for midway: it yields the texts that they must look at, and gets what they saw."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TypeVar

from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.request.events import Cause, Look

T = TypeVar("T")
Questions = Mapping[str, Sequence[str]]
"""By detector, the texts."""
Looks = Mapping[str, Look]
Asking = Generator[Questions, Looks, T]


class LookError(Exception):
    """A detector did not look, and its guard lets nothing pass then."""

    def __init__(self, guard: Guard, cause: Cause) -> None:
        super().__init__(guard.name)
        self.guard = guard
        self.cause = cause
