"""Algorithms that select one of several models from what was observed of them.

Source: ``pkg/selection/multi_factor.go`` and ``latency_aware.go`` of the stock router at commit 3d48f8c.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from vsr_runtime.decision.selection.observations import UNKNOWN, Observations, Observed, Wanted

_MILLISECONDS = 1000


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may be selected.

    Attributes:
        target: the name with which the decision requests it: the model's, or its adapter's.
        model: the model, by which the stock router looks up what it knows.
        quality: how good the config says it is; 0 if it does not say.
        price: what a million tokens of a prompt cost; 0 if that is unknown.
    """

    target: str
    model: str
    quality: float = 0.0
    price: float = 0.0


class Selector(ABC):
    """An algorithm. Equal candidates rank by their order."""

    __slots__ = ()

    @abstractmethod
    def select(self, candidates: Sequence[Candidate], observed: Observations) -> Candidate:
        """Return one of at least one candidate."""

    @abstractmethod
    def percentiles(self) -> tuple[frozenset[int], frozenset[int]]:
        """Return the percentiles of seconds per token, and of seconds to the first token, that it reads."""


@dataclass(frozen=True, slots=True)
class LatencyAware(Selector):
    """Selects the model with the lowest latency in proportion to the best one; the first one if none was measured.

    Attributes:
        tpot: the percentile of seconds per token; None if they do not count.
        ttft: the percentile of seconds to the first token; None if they do not count.
    """

    tpot: int | None = None
    ttft: int | None = None

    def percentiles(self) -> tuple[frozenset[int], frozenset[int]]:
        """Return the percentiles that it reads."""
        return _some(self.tpot), _some(self.ttft)

    def select(self, candidates: Sequence[Candidate], observed: Observations) -> Candidate:
        """Return the model with the lowest score of those of which all percentiles are known."""
        known = [(candidate, values) for candidate in candidates if (values := self._latencies(candidate, observed))]
        if not known:
            return candidates[0]
        best = [min(column) for column in zip(*(values for _, values in known), strict=True)]
        return min(known, key=lambda one: _relative(one[1], best))[0]

    def _latencies(self, candidate: Candidate, observed: Observations) -> tuple[float, ...]:
        """Return the values that count; nothing if one of them is unknown."""
        own = observed.get(candidate.model, UNKNOWN)
        pairs = ((own.tpot, self.tpot), (own.ttft, self.ttft))
        values = [known.get(share) for known, share in pairs if share is not None]
        return tuple(value for value in values if value is not None) if None not in values else ()


@dataclass(frozen=True, slots=True)
class Weights:
    """How much each factor counts. They add up to 1."""

    quality: float = 0.25
    latency: float = 0.25
    cost: float = 0.25
    load: float = 0.25

    @classmethod
    def normalised(cls, quality: float, latency: float, cost: float, load: float) -> Weights:
        """Return weights in proportion to these numbers. Negative ones are 0; if all are, each factor counts alike."""
        clamped = [max(weight, 0.0) for weight in (quality, latency, cost, load)]
        total = sum(clamped)
        return cls(*(weight / total for weight in clamped)) if total > 0 else cls()


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What excludes a model; 0 excludes none. A latency that is unknown excludes none."""

    tpot_ms: float = 0.0
    ttft_ms: float = 0.0
    price: float = 0.0
    in_flight: int = 0


@dataclass(frozen=True, slots=True)
class _Factors:
    quality: float | None
    latency: float | None
    cost: float | None
    load: float


@dataclass(frozen=True, slots=True)
class MultiFactor(Selector):
    """Selects the model with the highest weighted sum of quality, latency, price and load.

    Each factor is scaled between the worst candidate, 0, and the best, 1; one that is unknown is 0.

    Attributes:
        weights: how much each factor counts.
        ceilings: what excludes a model.
        share: the percentile of latencies.
        when_none: the model if all are excluded.
    """

    weights: Weights = Weights()
    ceilings: Ceilings = Ceilings()
    share: int = 95
    when_none: Literal["cheapest", "first"] = "cheapest"

    def percentiles(self) -> tuple[frozenset[int], frozenset[int]]:
        """Return the percentiles that it reads."""
        return frozenset({self.share}), frozenset({self.share})

    def select(self, candidates: Sequence[Candidate], observed: Observations) -> Candidate:
        """Return the model with the highest score of those that are not excluded."""
        kept = [one for one in candidates if not self._is_excluded(one, observed.get(one.model, UNKNOWN))]
        if not kept:
            if self.when_none == "first":
                return candidates[0]
            return min(candidates, key=lambda one: one.price if one.price > 0 else math.inf)
        factors = [self._factors(one, observed.get(one.model, UNKNOWN)) for one in kept]
        scores = self._scores(factors)
        return kept[scores.index(max(scores))]

    def _is_excluded(self, candidate: Candidate, own: Observed) -> bool:
        most = self.ceilings
        tpot, ttft = own.tpot.get(self.share), own.ttft.get(self.share)
        return (
            (most.tpot_ms > 0 and tpot is not None and tpot * _MILLISECONDS > most.tpot_ms)
            or (most.ttft_ms > 0 and ttft is not None and ttft * _MILLISECONDS > most.ttft_ms)
            or 0 < most.price < candidate.price
            or 0 < most.in_flight < own.in_flight
        )

    def _factors(self, candidate: Candidate, own: Observed) -> _Factors:
        latency = own.tpot.get(self.share)
        return _Factors(
            candidate.quality if candidate.quality > 0 else None,
            own.ttft.get(self.share) if latency is None else latency,
            candidate.price if candidate.price > 0 else None,
            float(own.in_flight),
        )

    def _scores(self, factors: Sequence[_Factors]) -> list[float]:
        weights = self.weights
        columns: tuple[tuple[float, Callable[[_Factors], float | None], bool], ...] = (
            (weights.quality, lambda one: one.quality, False),
            (weights.latency, lambda one: one.latency, True),
            (weights.cost, lambda one: one.cost, True),
            (weights.load, lambda one: one.load, True),
        )
        scores = [0.0] * len(factors)
        for weight, read, inverted in columns:
            if weight > 0:
                scaled = _scaled([read(one) for one in factors], inverted=inverted)
                scores = [score + weight * value for score, value in zip(scores, scaled, strict=True)]
        return scores


@dataclass(frozen=True, slots=True)
class Selection:
    """How a decision selects one of its models.

    Attributes:
        selector: the algorithm.
        candidates: the models, in the order of the decision.
    """

    selector: Selector
    candidates: tuple[Candidate, ...]

    def select(self, able: Iterable[str], observed: Observations) -> str:
        """Return the name of one of the targets that can serve a request."""
        names = frozenset(able)
        return self.selector.select([one for one in self.candidates if one.target in names], observed).target

    @property
    def wanted(self) -> Wanted:
        """What is read of the candidates."""
        tpot, ttft = self.selector.percentiles()
        return Wanted(frozenset(one.model for one in self.candidates), tpot, ttft)


def _some(share: int | None) -> frozenset[int]:
    return frozenset() if share is None else frozenset({share})


def _relative(values: Sequence[float], best: Sequence[float]) -> float:
    """Return the mean of the values in proportion to the best ones."""
    return sum(value / (least if least > 0 else 1.0) for value, least in zip(values, best, strict=True)) / len(values)


def _scaled(values: Sequence[float | None], *, inverted: bool) -> list[float]:
    """Scale values to the range from 0 to 1; equal ones are 0.5, unknown ones 0."""
    known = [value for value in values if value is not None]
    if not known:
        return [0.0] * len(values)
    least, span = min(known), max(known) - min(known)

    def scaled(value: float | None) -> float:
        if value is None:
            return 0.0
        if span <= 0:
            return 0.5
        share = (value - least) / span
        return 1.0 - share if inverted else share

    return [scaled(value) for value in values]
