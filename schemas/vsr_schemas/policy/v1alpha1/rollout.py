"""``rollout`` of the router or of an environment: a stepwise replacement of the router's pods, with an analysis."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.base import PolicyModel
from vsr_schemas.policy.v1alpha1.placement import HttpUrl
from vsr_schemas.scalars import Int, Milliseconds, Number
from vsr_schemas.shapes import MAPPING, TEXT, AsMapping, AsText, by_shape

Share = Annotated[Number, Field(ge=0, le=1)]


class RolloutStepSpec(PolicyModel):
    """A step: the share of new pods in percent, and how long (milliseconds) it lasts before it is judged."""

    weight: Annotated[Int, Field(ge=1, le=99)]
    pause: Annotated[Milliseconds, Field(ge=1000, le=7 * 24 * 3_600_000)]


class RolloutAnalysisSpec(PolicyModel):
    """What the new pods must not exceed at the end of a step. ``prometheus`` has the router's metrics."""

    prometheus: HttpUrl
    min_requests: Annotated[Int, Field(ge=1, le=1_000_000_000)] = 500
    errors: Share = 0.01
    shed: Share = 0.01
    guard_hits: Share = 0.05
    latency: Annotated[Milliseconds, Field(ge=1, le=5000)] | None = None


class RolloutSpec(PolicyModel):
    """The controller that replaces the router's pods, its steps, and what it measures after each."""

    controller: Literal["argo-rollouts", "flagger"]
    steps: Annotated[list[RolloutStepSpec], Field(min_length=1, max_length=20)]
    analysis: RolloutAnalysisSpec | None = None


EnvironmentRollout = Annotated[
    Annotated[Literal["none"], AsText] | Annotated[RolloutSpec, AsMapping], by_shape(TEXT, MAPPING)
]
"""The rollout of an environment, in the place of the router's; ``none`` for the cluster's own rolling update."""
