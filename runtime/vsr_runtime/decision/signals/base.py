"""The interface of signals, and bounds on counts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.view import RequestView
from vsr_schemas.routerconfig import v0_4_0 as contract


class Signal(Protocol):
    """A signal that is computed from the request alone.

    ``cost`` orders signals: lower values are evaluated first. ``work`` is the worst-case number of steps per byte of
    text; the server uses it to decide whether to leave the event loop.
    """

    @property
    def cost(self) -> int: ...  # noqa: D102 - see the class
    @property
    def work(self) -> int: ...  # noqa: D102 - see the class

    def holds(self, view: RequestView, expired: Expired) -> bool:
        """Return whether the request has the signal.

        Raises:
            DeadlineExceededError: the deadline passed first.
        """


class TextMatcher(Protocol):
    """Words or patterns that are searched for in a text."""

    @property
    def work(self) -> int: ...  # noqa: D102 - steps per byte of text

    def occurrences(self, text: str, expired: Expired) -> Iterator[bool]:
        """Yield, for each word or pattern in order, whether it occurs."""

    def count(self, text: str, stop: int, expired: Expired) -> int:
        """Return the number of occurrences of all words or patterns; counting stops at ``stop``."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """An inclusive range of integers. An infinite ``high`` means that there is no upper bound."""

    low: float = 0
    high: float = math.inf

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.low <= number <= self.high

    @property
    def enough(self) -> int:
        """The count above which the result no longer changes."""
        return math.ceil(self.low) if self.high == math.inf else math.floor(self.high) + 1


def bounds_of(predicate: contract.Predicate) -> Bounds:
    """Return the bounds of a predicate.

    Raises:
        ValueError: it has no bound, a negative or infinite bound, or an empty range.
    """
    bounds = [bound for bound in (predicate.gte, predicate.lte) if bound is not None]
    if not bounds:
        raise ValueError("its predicate has neither gte nor lte")
    if not all(math.isfinite(bound) and bound >= 0 for bound in bounds):
        raise ValueError("its predicate must have numbers that are not negative")
    low = predicate.gte or 0
    high = math.inf if predicate.lte is None else predicate.lte
    if low > high:
        raise ValueError("its predicate has gte greater than lte, so nothing satisfies it")
    return Bounds(low, high)
