"""What all kinds of signal are to the program."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from vsr_runtime.decision.deadline import Expired
from vsr_runtime.decision.view import RequestView
from vsr_schemas.routerconfig import v0_4_0 as contract


class Signal(Protocol):
    """One signal.

    ``cost`` orders signals: the lower goes first. ``work`` is how many steps a byte of text may take at the worst; the
    server decides by it whether to leave the event loop.
    """

    @property
    def cost(self) -> int: ...  # noqa: D102 - said by the class
    @property
    def work(self) -> int: ...  # noqa: D102 - said by the class

    def holds(self, view: RequestView, expired: Expired) -> bool:
        """Whether the request has it.

        Raises:
            OutOfTimeError: the time was up first.
        """


class TextMatcher(Protocol):
    """Some words or patterns to look for in a text."""

    @property
    def work(self) -> int: ...  # noqa: D102 - steps a byte of text for one look at all of them

    def found(self, text: str, expired: Expired) -> Iterator[bool]:
        """For each word or pattern, as asked for, whether it occurs."""

    def count(self, text: str, stop: int, expired: Expired) -> int:
        """How often they occur, all together and without overlap for each; counting ends at ``stop``."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range of whole numbers, both ends included. No upper end is infinity."""

    low: float = 0
    high: float = math.inf

    def __contains__(self, number: object) -> bool:
        return isinstance(number, int) and self.low <= number <= self.high

    @property
    def enough(self) -> int:
        """The count from which on more makes no difference."""
        return math.ceil(self.low) if self.high == math.inf else math.floor(self.high) + 1


def bounds_of(predicate: contract.Predicate) -> Bounds:
    """The bounds of a predicate.

    Raises:
        ValueError: there is none, one is negative or not finite, or nothing lies between them.
    """
    given = [bound for bound in (predicate.gte, predicate.lte) if bound is not None]
    if not given:
        raise ValueError("its predicate has neither gte nor lte")
    if not all(math.isfinite(bound) and bound >= 0 for bound in given):
        raise ValueError("its predicate must have numbers from 0 on")
    low = predicate.gte or 0
    high = math.inf if predicate.lte is None else predicate.lte
    if low > high:
        raise ValueError("its predicate has gte greater than lte, so nothing satisfies it")
    return Bounds(low, high)
