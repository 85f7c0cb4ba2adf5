"""Numbers that the stock router derives from signals: scores, their bands, and groups of which one signal holds."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vsr_schemas.routerconfig.v0_4_0.base import StockModel


class ProjectionPartition(StockModel):
    """Domain or embedding signals of which only the most confident one holds, or ``default`` if none does."""

    name: str
    semantics: Literal["exclusive", "softmax_exclusive"]
    members: list[str] = Field(min_length=1)
    default: str
    temperature: float | None = None


class ProjectionInput(StockModel):
    """What a signal, or another score, adds to a score: one of two numbers, its confidence or what it measured."""

    type: str
    name: str | None = None
    weight: float
    value_source: Literal["binary", "confidence", "raw", "score"] | None = None
    match: float | None = None
    miss: float | None = None
    kb: str | None = None
    metric: str | None = None


class ProjectionScore(StockModel):
    """A sum of numbers, each with its weight."""

    name: str
    method: Literal["weighted_sum"]
    inputs: list[ProjectionInput]


class ProjectionCalibration(StockModel):
    """How the confidence of a band grows with the distance from its bounds."""

    method: Literal["sigmoid_distance"] | None = None
    slope: float | None = None


class ProjectionOutput(StockModel):
    """A band: a range of a score by which conditions name it."""

    name: str
    lt: float | None = None
    lte: float | None = None
    gt: float | None = None
    gte: float | None = None


class ProjectionMapping(StockModel):
    """The bands of a score, of which the first that fits holds, or each one (``multi_emit``)."""

    name: str
    source: str
    method: Literal["threshold_bands", "multi_emit"] | None = None
    calibration: ProjectionCalibration | None = None
    outputs: list[ProjectionOutput] = Field(min_length=1)


class Projections(StockModel):
    """All derived numbers."""

    partitions: list[ProjectionPartition] | None = None
    scores: list[ProjectionScore] | None = None
    mappings: list[ProjectionMapping] | None = None
