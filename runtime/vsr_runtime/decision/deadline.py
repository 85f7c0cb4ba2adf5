"""Deadlines and budgets of long-running work."""

from __future__ import annotations

from collections.abc import Callable

Expired = Callable[[], bool]
"""Returns whether the deadline has passed. Long work calls it between steps."""
STEPS_PER_SECOND = 2_000_000_000
"""Steps that a second of deadline allows. A step is about a nanosecond of work, so the clock is normally first; the
number of steps does not depend on the machine, nor on how often the clock is read."""


class DeadlineExceededError(Exception):
    """The deadline passed before the work was done."""


class BudgetExceededError(DeadlineExceededError):
    """The work for one request takes more steps than it may, whatever time is left."""


class Budget:
    """The deadline and the steps that the work for one request may take. It is an `Expired`.

    Args:
        steps: the number of steps.
        expired: the deadline.

    Attributes:
        left: the steps that are left.
        expired: the deadline.
    """

    __slots__ = ("expired", "left")

    def __init__(self, steps: int, expired: Expired) -> None:
        self.expired = expired
        self.left = steps

    @classmethod
    def of(cls, seconds: float, expired: Expired) -> Budget:
        """Return the budget for work that may take this time."""
        return cls(int(seconds * STEPS_PER_SECOND), expired)

    def __call__(self) -> bool:
        """Return whether the deadline has passed."""
        return self.expired()

    def spend(self, steps: int) -> None:
        """Take steps from the budget.

        Raises:
            BudgetExceededError: there are not as many left.
        """
        self.left -= steps
        if self.left < 0:
            raise BudgetExceededError


def never() -> bool:
    """Return False: a deadline that never expires."""
    return False


def check_deadline(expired: Expired, steps: int = 0) -> None:
    """Count steps, and raise if there are too many or if the deadline has passed.

    Raises:
        BudgetExceededError: the budget has fewer steps left.
        DeadlineExceededError: the deadline has passed.
    """
    if isinstance(expired, Budget):
        if steps:
            expired.left -= steps
            if expired.left < 0:
                raise BudgetExceededError
        expired = expired.expired
    if expired():
        raise DeadlineExceededError


def spend(expired: Expired, steps: int) -> None:
    """Count steps without reading the clock.

    Raises:
        BudgetExceededError: the budget has fewer steps left.
    """
    if isinstance(expired, Budget):
        expired.spend(steps)
