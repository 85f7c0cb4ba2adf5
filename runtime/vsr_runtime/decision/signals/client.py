"""The signal of a client's attributes."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.identity.client import Tests, passes
from vsr_runtime.decision.view import RequestView


@dataclass(frozen=True, slots=True)
class ClientSignal:
    """Holds if the client passes one of these tests. A request of nobody known passes none."""

    tests: Tests
    cost: int = 0
    work: int = 0

    def holds(self, view: RequestView, expired: Expired) -> bool:  # noqa: ARG002 - takes constant time
        """Return whether the request has the signal."""
        return passes(self.tests, view.client)
