"""Bounds on a count, as configs state them."""

from __future__ import annotations

import math

from vsr_runtime.decision.signals.base import Bounds
from vsr_schemas.routerconfig import v0_4_0 as contract


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
