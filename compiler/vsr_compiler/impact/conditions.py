"""Conditions on which a pipeline fails, such as ``breaking``, ``unblocked>0`` and ``cost>5%``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vsr_schemas.reports_impact import ImpactReport

SHARES = ("changed", "model", "route", "guard", "newly-blocked", "unblocked")
"""What can be bounded by a number of requests or, in per cent, by their share."""
BREAKING = "breaking"
"""What has no bound: a breaking change of the policy."""
COST = "cost"
"""What can be bounded by a relative increase in per cent."""
_CONDITION = re.compile(r"([a-z-]+)>(\d{1,12}(?:\.\d{1,6})?)(%?)")


@dataclass(frozen=True, slots=True)
class Condition:
    """A bound that a report must not exceed. ``relative``: in per cent."""

    name: str
    bound: float
    relative: bool

    @property
    def words(self) -> str:
        """The condition as it is written."""
        if self.name == BREAKING:
            return self.name
        return f"{self.name}>{self.bound:g}{'%' if self.relative else ''}"

    def holds(self, report: ImpactReport | None, *, breaking: bool = False) -> bool:
        """Return whether a report exceeds the bound. What is not known does, and so does a cost that is not.

        Args:
            report: The effect on traffic; None if it was not measured.
            breaking: Whether the change is breaking.
        """
        if self.name == BREAKING:
            return breaking
        if report is None or not report.complete or not report.requests:
            return True
        if self.name == COST:
            cost = report.cost
            if cost is None or not cost.requests or cost.unpriced:
                return True
            return cost.new > cost.old * (1 + self.bound / 100)
        part = getattr(report, self.name.replace("-", "_"))
        return bool(part.share * 100 > self.bound if self.relative else part.count > self.bound)


def conditions(text: str) -> list[Condition]:
    """Read conditions that are separated by commas.

    Raises:
        ValueError: One of them is none. The message says what there is.

    >>> [condition.words for condition in conditions("unblocked>0,cost>5%")]
    ['unblocked>0', 'cost>5%']
    """
    found = []
    for piece in text.split(","):
        if piece.strip() == BREAKING:
            found.append(Condition(BREAKING, 0, relative=False))
            continue
        match = _CONDITION.fullmatch(piece.strip())
        if match is None or match[1] not in {*SHARES, COST} or (match[1] == COST and not match[3]):
            raise ValueError(
                f"{piece.strip()!r} is no condition. Write NAME>NUMBER or NAME>NUMBER%, where NAME is one of "
                f"{', '.join(SHARES)}, or {COST}>NUMBER%, or {BREAKING}."
            )
        found.append(Condition(match[1], float(match[2]), bool(match[3])))
    return found
