"""Numbers that signals measure, for those who ask for more than whether a signal holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.view import RequestView


@dataclass(frozen=True, slots=True)
class Score:
    """What a signal measured.

    Attributes:
        holds: whether the request has the signal.
        value: the number itself, such as an occurrence count or a cosine; 0 for signals that have none.
        confidence: how sure it is that the signal holds, as the stock router computes it; it does not count if the
            signal does not hold.
    """

    holds: bool
    value: float = 0.0
    confidence: float = 1.0


@runtime_checkable
class ScoredSignal(Protocol):
    """A signal of the request alone that has numbers."""

    def score(self, view: RequestView, expired: Expired) -> Score:
        """Return the numbers of the request.

        Raises:
            DeadlineExceededError: the deadline passed first.
        """
