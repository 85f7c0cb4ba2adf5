"""The report of ``vsr-compile eval --format json``: how well a policy's categories are told apart."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.base import ReportModel

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class AtThreshold(ReportModel):
    """What a threshold would give.

    ``coverage`` is the share of prompts whose likeliest category reaches it, ``accuracy`` the share of those for which
    that is right, ``served`` the share of all prompts that are answered as they should be: none counts as an answer.
    """

    threshold: Share
    coverage: Share
    accuracy: Share
    served: Share


class AtCoverage(ReportModel):
    """How often the likeliest category is right for the surest prompts, and how sure the least sure of them is."""

    coverage: Share
    accuracy: Share
    threshold: Share


class OfCategory(ReportModel):
    """One category. ``recall``: of its prompts, how many are told so; ``precision``: of those told so, how many are."""

    name: str
    count: Count
    found: Count
    right: Count
    recall: Share
    precision: Share


class Confusion(ReportModel):
    """How often prompts of a category were told otherwise. ``other`` is none of the categories."""

    category: str
    found: str
    count: Count


class Miss(ReportModel):
    """A prompt that was told otherwise; ``line`` is its line of the data, else of the policy."""

    category: str
    found: str
    probability: Share
    prompt: str
    line: int | None = None


class EvalReport(ReportModel):
    """The whole report.

    Attributes:
        accuracy: Share of all prompts that are answered as they should be at the threshold, ``other`` below it.
        count: Prompts.
        top1: Share of the prompts that have a category whose likeliest category is that one, whatever the threshold.
        top1_count: Prompts that have a category.
        calibration: Expected calibration error: by how much probabilities and the shares of right ones differ.
        method: ``data``: prompts of a file. ``held-out``: the examples, by heads trained without them.
        misses: The most confident first, ``MISSES`` at most.
    """

    accuracy: Share
    count: Count
    top1: Share
    top1_count: Count
    threshold: Share
    calibration: Share
    method: Literal["data", "held-out"]
    policy: str
    encoder: str
    precision: str
    thresholds: list[AtThreshold]
    coverages: list[AtCoverage]
    categories: list[OfCategory]
    confusions: list[Confusion]
    misses: list[Miss]
    apiVersion: Literal["vsr.dev/v1alpha1"] = "vsr.dev/v1alpha1"  # noqa: N815 - Kubernetes' spelling
    kind: Literal["EvalReport"] = "EvalReport"
