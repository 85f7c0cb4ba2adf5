"""Scores that routes are chosen by: weighted sums of what signals measure, and the bands in which a sum may lie.

Source of the stock router's meaning: ``pkg/classification/classifier_projection_inputs.go``,
``classifier_projection_order.go`` and ``classifier_projection_outputs.go`` at 3d48f8c.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from vsr_runtime.decision.program.conditions import Condition, DerivedCondition, SignalName, SignalValues
from vsr_runtime.decision.program.ordering import confidence
from vsr_runtime.decision.signals.base import Bounds

SLOPE = 12.0
"""How steeply the confidence of a band grows with the distance from its bounds."""


@dataclass(frozen=True, slots=True)
class SignalInput:
    """What a signal adds to a score.

    Attributes:
        condition: when the signal holds.
        weight: the factor of its number.
        source: its number is one of two (``binary``), its confidence if it holds, or what it measured (``raw``).
        name: the signal that measures.
        match: the number if it holds.
        miss: the number if it does not.
    """

    condition: Condition
    weight: float
    source: Literal["binary", "confidence", "raw"] = "binary"
    name: SignalName = ("", "")
    match: float = 1.0
    miss: float = 0.0

    def value(self, signals: SignalValues) -> float | None:
        """Return the number, without its weight; None while the signal is unknown."""
        holds = self.condition.truth(signals)
        if holds is None:
            return None
        if self.source == "raw":
            return signals.value(self.name)
        if self.source == "binary":
            return self.match if holds else self.miss
        if not holds:
            return 0.0
        sure = confidence(self.condition, signals)
        return sure if sure > 0 else 1.0


@dataclass(frozen=True, slots=True)
class ScoreInput:
    """What another score adds: its number, or the confidence of one of its bands."""

    name: str
    weight: float
    band: bool = False


@dataclass(frozen=True, slots=True)
class Band:
    """A range of a score that has a name. ``edges`` are its bounds, from which confidence grows with ``slope``."""

    name: str
    bounds: Bounds
    edges: tuple[float, ...]
    slope: float = SLOPE

    def confidence(self, score: float) -> float:
        """Return how certain it is that a score belongs to the band, in which it lies."""
        distance = min((abs(score - edge) for edge in self.edges), default=1.0)
        return 1 / (1 + math.exp(-self.slope * distance))


@dataclass(frozen=True, slots=True)
class BandMapping:
    """The bands of a score, of which the first that fits holds, or each one (``several``)."""

    bands: tuple[Band, ...]
    several: bool = False

    def fitting(self, score: float) -> Sequence[Band]:
        """Return the bands that hold."""
        fitting = [band for band in self.bands if score in band.bounds]
        return fitting if self.several else fitting[:1]


@dataclass(frozen=True, slots=True)
class ProjectedScore:
    """A weighted sum, in the order of its inputs, and its bands."""

    name: str
    inputs: tuple[SignalInput | ScoreInput, ...]
    mappings: tuple[BandMapping, ...] = ()


@dataclass(frozen=True, slots=True)
class Projection:
    """Scores, each behind those that it needs.

    ``last`` caches the outcome for the signals that were asked for last, because each route asks for its band.
    """

    scores: tuple[ProjectedScore, ...]
    last: list[tuple[SignalValues, Mapping[str, float] | None]] = field(default_factory=list, compare=False, repr=False)

    def bands(self, signals: SignalValues) -> Mapping[str, float] | None:
        """Return the bands that hold, with their confidence; None while a signal is unknown."""
        for known, outcome in self.last[:1]:
            if known is signals:
                return outcome
        outcome = self._bands(signals)
        self.last[:] = [(signals, outcome)]
        return outcome

    def _bands(self, signals: SignalValues) -> Mapping[str, float] | None:
        sums: dict[str, float] = {}
        bands: dict[str, float] = {}
        for score in self.scores:
            total = 0.0
            for one in score.inputs:
                if isinstance(one, SignalInput):
                    value = one.value(signals)
                    if value is None:
                        return None
                else:
                    value = bands.get(one.name, 0.0) if one.band else sums[one.name]
                total += one.weight * value
            sums[score.name] = total
            for mapping in score.mappings:
                bands.update((band.name, band.confidence(total)) for band in mapping.fitting(total))
        return bands

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """The conditions of all inputs."""
        return tuple(one.condition for score in self.scores for one in score.inputs if isinstance(one, SignalInput))


@dataclass(frozen=True, slots=True)
class BandCondition(DerivedCondition):
    """Holds if a score lies in a band."""

    projection: Projection
    band: str

    @property
    def name(self) -> SignalName:
        """The type and name of the band in conditions."""
        return ("projection", self.band)

    @property
    def parts(self) -> tuple[Condition, ...]:
        """What the score is computed from."""
        return self.projection.conditions

    def truth(self, signals: SignalValues) -> bool | None:
        """Return whether the score lies in the band; None while a signal is unknown."""
        bands = self.projection.bands(signals)
        return None if bands is None else self.band in bands

    def confidence(self, signals: SignalValues) -> float:
        """Return how certain that is, if it does."""
        return (self.projection.bands(signals) or {}).get(self.band, 0.0)
