"""The order of routes. Where routes may hold at once and rank alike, the most confident one wins.

The rules are those of the stock router's decision engine (``pkg/decision/engine.go``): if a route that holds has a
tier, the lowest tier, then confidence, priority and name; otherwise priority before confidence, or confidence before
priority if that is the strategy; then the name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, Protocol, TypeVar

from vsr_runtime.decision.program.conditions import (
    AllConditions,
    AnyCondition,
    CategoryCondition,
    Condition,
    ConditionLeaf,
    DerivedCondition,
    SignalCondition,
    SignalName,
    SignalValues,
    condition_leaves,
    open_leaves,
)

Strategy = Literal["priority", "confidence"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a route ranks. A tier above 0 counts before priorities; the lowest comes first."""

    priority: int
    tier: int = 0


class Ranked(Protocol):
    """A route with its place."""

    @property
    def name(self) -> str: ...  # noqa: D102 - see the class
    @property
    def condition(self) -> Condition: ...  # noqa: D102 - see the class
    @property
    def standing(self) -> Standing | None: ...  # noqa: D102 - None ranks by the order of routes


R = TypeVar("R", bound=Ranked)


def sort_key(name: str, standing: Standing) -> tuple[int, int, str]:
    """Return the key by which routes are listed: tiers, priorities, names."""
    return standing.tier, -standing.priority, name


def ranks_of(routes: Sequence[R], strategy: Strategy) -> tuple[tuple[R, ...], ...] | None:
    """Return groups of routes of which any in an earlier group beats all in later ones; None if each is alone.

    Args:
        routes: in the order of `sort_key`.
        strategy: what counts first between routes without tiers.
    """
    standings = [route.standing for route in routes if route.standing is not None]
    if len(standings) != len(routes) or len(routes) <= 1:
        return None
    tiered = [standing.tier > 0 for standing in standings]
    if any(tiered):
        ranks = _groups(routes, lambda standing: standing.tier) if all(tiered) else (tuple(routes),)
    elif strategy == "confidence":
        ranks = (tuple(routes),)
    else:
        ordered = sorted(routes, key=lambda route: -_standing(route).priority)
        ranks = _groups(ordered, lambda standing: standing.priority)
    return ranks if any(len(rank) > 1 for rank in ranks) else None


def rated_signals(ranks: Iterable[Sequence[Ranked]]) -> frozenset[SignalName]:
    """Return the signals whose confidence may decide between routes."""
    rated = (route.condition for rank in ranks if len(rank) > 1 for route in rank)
    leaves = frozenset[ConditionLeaf]().union(*(condition_leaves(condition) for condition in rated))
    return frozenset(leaf.name for leaf in leaves if isinstance(leaf, SignalCondition))


def most_confident(routes: Iterable[R], signals: SignalValues, strategy: Strategy) -> R | None:
    """Return the route that wins among those that hold; None if none does. Every route must be `settled`."""
    holding = [route for route in routes if route.condition.truth(signals)]
    if len(holding) <= 1:
        return holding[0] if holding else None
    tiered = any(_standing(route).tier > 0 for route in holding)

    def key(route: R) -> tuple[float, float, float, str]:
        standing, trust = _standing(route), confidence(route.condition, signals)
        if tiered:
            return standing.tier, -trust, -standing.priority, route.name
        if strategy == "confidence":
            return -trust, -standing.priority, 0, route.name
        return -standing.priority, -trust, 0, route.name

    return min(holding, key=key)


def unsettled(routes: Iterable[Ranked], signals: SignalValues) -> frozenset[ConditionLeaf]:
    """Return the unknown leaves on which the winner may still depend.

    Confidence counts only between routes that may both hold. If at most one may, its truth is enough.
    """
    possible = [route.condition for route in routes if route.condition.truth(signals) is not False]
    if len(possible) == 1:
        return open_leaves(possible[0], signals)
    return frozenset[ConditionLeaf]().union(*(_unrated(condition, signals) for condition in possible))


def confidence(condition: Condition, signals: SignalValues) -> float:
    """Return how certain it is that a condition holds, which does hold and has no `unsettled` leaf.

    All parts: their mean, and 0 without any. One of several: the best that holds. A negation: 1. A category: its
    probability. Another signal: its score, or 1 if it has none. A derived condition says it itself.
    """
    if isinstance(condition, SignalCondition):
        return signals.confidence(condition.name)
    if isinstance(condition, CategoryCondition):
        return signals.probability or 0.0
    if isinstance(condition, AllConditions):
        parts = condition.parts
        return sum(confidence(part, signals) for part in parts) / len(parts) if parts else 0.0
    if isinstance(condition, AnyCondition):
        return max((confidence(part, signals) for part in condition.parts if part.truth(signals)), default=0.0)
    return condition.confidence(signals) if isinstance(condition, DerivedCondition) else 1.0


def _unrated(condition: Condition, signals: SignalValues) -> frozenset[ConditionLeaf]:
    """Return the unknown leaves on which a condition's truth or confidence depends."""
    if condition.truth(signals) is False:
        return frozenset()
    if isinstance(condition, AllConditions | AnyCondition):
        return frozenset[ConditionLeaf]().union(*(_unrated(part, signals) for part in condition.parts))
    return open_leaves(condition, signals)


def _groups(routes: Iterable[R], by: Callable[[Standing], int]) -> tuple[tuple[R, ...], ...]:
    return tuple(tuple(group) for _, group in groupby(routes, key=lambda route: by(_standing(route))))


def _standing(route: Ranked) -> Standing:
    if route.standing is None:
        raise TypeError(f"the route {route.name} has no place")
    return route.standing
