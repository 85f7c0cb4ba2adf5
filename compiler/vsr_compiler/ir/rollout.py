"""A stepwise rollout of the router: new pods in growing numbers, judged after each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from vsr_compiler.diagnostics import Span


@dataclass(frozen=True, slots=True)
class RolloutStep:
    """A step: new pods in percent, and its length in milliseconds."""

    weight: int
    pause: int
    span: Span


@dataclass(frozen=True, slots=True)
class RolloutAnalysis:
    """What new pods must not exceed.

    Attributes:
        prometheus: URL of the server with the metrics.
        min_requests: with fewer requests in a step, nothing is decided and the rollout is held.
        errors: share of requests answered with an error other than a guard's, above that of the old pods.
        shed: share of requests refused because of load.
        guard_hits: difference of the matches of guards per request between new and old pods.
        latency: milliseconds in which 95 % of the decisions are made; None if it is not measured.
        span: where it is written.
    """

    prometheus: str
    min_requests: int
    errors: float
    shed: float
    guard_hits: float
    latency: int | None
    span: Span


@dataclass(frozen=True, slots=True)
class Rollout:
    """The rollout of an environment. ``analysis`` is None if the steps only wait."""

    controller: Literal["argo-rollouts", "flagger"]
    steps: tuple[RolloutStep, ...]
    analysis: RolloutAnalysis | None
    span: Span

    @property
    def length(self) -> int:
        """How long its steps last, in seconds."""
        return sum(step.pause for step in self.steps) // 1000
