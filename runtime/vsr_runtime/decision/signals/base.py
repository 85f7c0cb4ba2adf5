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


class WordMatcher(Protocol):
    """Words or patterns that are searched for in a text."""

    @property
    def work(self) -> int: ...  # noqa: D102 - steps per byte of text

    def occurrences(self, text: str, expired: Expired) -> Iterator[bool]:
        """Yield, for each word or pattern in order, whether it occurs."""


class TextMatcher(WordMatcher, Protocol):
    """Words or patterns whose occurrences can also be counted."""

    def count(self, text: str, stop: int, expired: Expired) -> int:
        """Return the number of occurrences of all words or patterns; counting stops at ``stop``."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range of numbers. Its ends belong to it, unless they are open. An infinite ``high`` is no upper bound."""

    low: float = 0
    high: float = math.inf
    open_low: bool = False
    open_high: bool = False

    def __contains__(self, number: object) -> bool:
        if not isinstance(number, int | float):
            return False
        above = self.low < number if self.open_low else self.low <= number
        return above and (number < self.high if self.open_high else number <= self.high)

    @property
    def enough(self) -> int:
        """The count from which on the result no longer changes."""
        if self.high == math.inf:
            return math.floor(self.low) + 1 if self.open_low else math.ceil(self.low)
        return math.ceil(self.high) if self.open_high else math.floor(self.high) + 1


def bounds_of(predicate: contract.Predicate) -> Bounds:
    """Return the bounds of a predicate.

    Raises:
        ValueError: it has no bound, a negative or infinite bound, two bounds at one end, or an empty range.
    """
    lows = [(bound, is_open) for bound, is_open in ((predicate.gt, True), (predicate.gte, False)) if bound is not None]
    highs = [(bound, is_open) for bound, is_open in ((predicate.lt, True), (predicate.lte, False)) if bound is not None]
    if not lows and not highs:
        raise ValueError("its predicate has neither gt, gte, lt nor lte")
    if not all(math.isfinite(bound) and bound >= 0 for bound, _ in (*lows, *highs)):
        raise ValueError("its predicate must have numbers that are not negative")
    if len(lows) > 1 or len(highs) > 1:
        raise ValueError("its predicate has two bounds at one end; keep gt or gte, and lt or lte")
    low, open_low = lows[0] if lows else (0, False)
    high, open_high = highs[0] if highs else (math.inf, False)
    if low > high or (low == high and (open_low or open_high)):
        raise ValueError("its predicate has a lower bound above the upper one, so nothing satisfies it")
    return Bounds(low, high, open_low=open_low, open_high=open_high)
