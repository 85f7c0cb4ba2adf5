"""What all kinds of signal are to the program."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from vsr_runtime.decision.view import Expired, View


class Signal(Protocol):
    """One signal.

    ``cost`` orders signals: the lower goes first. ``work`` is how many steps a byte of text may take at the worst; the
    server decides by it whether to leave the event loop.
    """

    @property
    def cost(self) -> int: ...  # noqa: D102 - said by the class
    @property
    def work(self) -> int: ...  # noqa: D102 - said by the class

    def holds(self, view: View, expired: Expired) -> bool:
        """Whether the request has it.

        Raises:
            OutOfTimeError: the time was up first.
        """


class Finder(Protocol):
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
