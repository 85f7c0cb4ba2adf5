"""The report of ``vsr-compile eval --pairs --format json``: which similarity separates pairs of texts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.base import ReportModel

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Cosine = Annotated[float, Field(ge=-1.001, le=1.001)]


class AtSimilarity(ReportModel):
    """At a threshold: the share of pairs that belong together and reach it, and of the others that do."""

    threshold: Cosine
    recall: Share
    false: Share


class WrongPair(ReportModel):
    """A pair on the wrong side of the chosen threshold. ``line`` is its line in the file."""

    line: int
    same: bool
    similarity: Cosine
    a: str
    b: str


class PairsReport(ReportModel):
    """The whole report.

    Attributes:
        purpose: ``signal``: embedding signals, which one in fifty other requests may reach. ``cache``: responses
            that are reused, of which none may be wrong.
        encoder: repository of the encoder.
        sha256: of its weights.
        threshold: the smallest one that the purpose permits; None if no threshold does.
        recall: share of the pairs that belong together and reach it.
        false: share of the other pairs that reach it.
        bound: with 95 % confidence the share of false ones in pairs of this kind is below this.
        told_apart: pairs that the cache tells apart by their words (numbers, names, opposites), whatever the threshold.
        default: the threshold that a policy with this encoder gets.
        wrong: the worst first.
    """

    purpose: Literal["signal", "cache"]
    encoder: str
    sha256: str
    precision: str
    same: Count
    different: Count
    told_apart: Count
    threshold: Cosine | None
    recall: Share
    false: Share
    bound: Share
    default: Cosine | None
    curve: list[AtSimilarity]
    wrong: list[WrongPair]
    apiVersion: Literal["vsr.dev/v1alpha1"] = "vsr.dev/v1alpha1"  # noqa: N815 - Kubernetes' spelling
    kind: Literal["PairsReport"] = "PairsReport"
