"""Conditions on which a report fails a pipeline, such as ``unblocked>0`` and ``cost>5%``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from vsr_schemas.reports_impact import ImpactReport

SHARES = ("changed", "model", "route", "guard", "newly-blocked", "unblocked")
"""What can be bounded by a number of requests or, in per cent, by their share."""
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
        return f"{self.name}>{self.bound:g}{'%' if self.relative else ''}"

    def holds(self, report: ImpactReport) -> bool:
        """Return whether a report exceeds the bound. A cost that is not known does."""
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
        match = _CONDITION.fullmatch(piece.strip())
        if match is None or match[1] not in {*SHARES, COST} or (match[1] == COST and not match[3]):
            raise ValueError(
                f"{piece.strip()!r} is no condition. Write NAME>NUMBER or NAME>NUMBER%, where NAME is one of "
                f"{', '.join(SHARES)}, or {COST}>NUMBER%."
            )
        found.append(Condition(match[1], float(match[2]), bool(match[3])))
    return found
