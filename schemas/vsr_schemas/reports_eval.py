"""The report of ``vsr-compile eval --format json``: how well requests are classified into categories."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from vsr_schemas.base import ReportModel

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class AtThreshold(ReportModel):
    """The results at a threshold.

    ``coverage`` is the share of prompts whose most likely category reaches it, ``accuracy`` the share of those that are
    correct, ``served`` the share of all prompts with the correct result, where "no category" is a result too, and
    ``false_alarms`` the share of those of no category that get one; None if there are none.
    """

    threshold: Share
    coverage: Share
    accuracy: Share
    served: Share
    false_alarms: Share | None = None


class AtCoverage(ReportModel):
    """The accuracy on the most confident prompts, and the lowest probability among them."""

    coverage: Share
    accuracy: Share
    threshold: Share


class OfCategory(ReportModel):
    """One category. ``found`` are the prompts classified as it, ``right`` those that belong to it."""

    name: str
    count: Count
    found: Count
    right: Count
    recall: Share
    precision: Share


class Confusion(ReportModel):
    """How often prompts of a category were classified as another. ``other`` means none of the categories."""

    category: str
    found: str
    count: Count


class Miss(ReportModel):
    """A misclassified prompt. ``line`` is its line in the data file, or in the policy."""

    category: str
    found: str
    probability: Share
    prompt: str
    line: int | None = None


class EvalReport(ReportModel):
    """The whole report.

    Attributes:
        accuracy: Share of all prompts with the correct result at the threshold; below it the result is ``other``.
        count: Prompts.
        top1: Share of prompts with a category whose most likely category is correct, at any threshold.
        top1_count: Prompts that have a category.
        calibration: Expected calibration error: the mean difference between probability and accuracy.
        method: ``data``: prompts of a file. ``held-out``: examples, each classified by a head trained without it.
        classifier: The classifier, if it is not that of the categories; its labels are reported as categories are.
        false_alarms: Share of prompts of no category that get one at the threshold; None if there are no such prompts.
        none_count: Prompts of no category.
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
    classifier: str | None = None
    false_alarms: Share | None = None
    none_count: Count = 0
    apiVersion: Literal["vsr.dev/v1alpha1"] = "vsr.dev/v1alpha1"  # noqa: N815 - Kubernetes' spelling
    kind: Literal["EvalReport"] = "EvalReport"
