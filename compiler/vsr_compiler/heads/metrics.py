"""Metrics of a head: accuracy at the threshold and at others, by category, and calibration error.

``other`` means none of the categories, both as expectation and as result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vsr_compiler.heads.inputs import OTHER
from vsr_compiler.heads.labelled_prompts import LabelledPrompt
from vsr_compiler.heads.logistic import Floats
from vsr_schemas.reports_eval import AtCoverage, AtThreshold, Confusion, EvalReport, Miss, OfCategory

THRESHOLDS = tuple(step / 10 for step in range(10))
COVERAGES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
BINS = 10
MISSES = 50
_SHOWN = 120
"""Characters of a misclassified prompt in the report."""


@dataclass(frozen=True, slots=True)
class EvalSubject:
    """What is evaluated, for the head of the report."""

    policy: str
    encoder: str
    precision: str
    threshold: float
    classifier: str | None = None


def eval_report(
    cases: Sequence[LabelledPrompt], labels: Sequence[str], rows: Floats, subject: EvalSubject, *, held_out: bool
) -> EvalReport:
    """Compare expected categories with predictions.

    Args:
        cases: At least one.
        labels: The labels of the head, in the order of the columns.
        rows: Probabilities of shape ``[cases, labels]``; the remainder to 1 is "none of them".
        subject: The head of the report, with the threshold used for serving.
        held_out: Whether the cases are examples, classified by heads trained without them.
    """
    top = rows.max(axis=1)
    best = [labels[index] for index in rows.argmax(axis=1)]
    expected = [case.category for case in cases]
    hit = np.array([label == category for label, category in zip(best, expected, strict=True)])
    none = np.array([category == OTHER for category in expected])
    served = [label if sure >= subject.threshold else OTHER for label, sure in zip(best, top, strict=True)]
    pairs = Counter(zip(expected, served, strict=True))
    known = int(np.count_nonzero(~none))
    return EvalReport(
        accuracy=_share(sum(count for (category, label), count in pairs.items() if category == label), len(cases)),
        count=len(cases),
        top1=_share(int(np.count_nonzero(hit)), known),
        top1_count=known,
        threshold=subject.threshold,
        calibration=calibration_error(top, hit),
        method="held-out" if held_out else "data",
        policy=subject.policy,
        encoder=subject.encoder,
        precision=subject.precision,
        thresholds=[_at_threshold(value, top, hit, none) for value in THRESHOLDS],
        coverages=[_at_coverage(share, top, hit) for share in COVERAGES],
        categories=_categories(sorted({*labels, *expected}), pairs),
        confusions=[
            Confusion(category=category, found=label, count=count)
            for (category, label), count in sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
            if category != label
        ],
        misses=_misses(cases, served, top),
        classifier=subject.classifier,
        false_alarms=_false_alarms(top >= subject.threshold, none),
        none_count=len(cases) - known,
    )


def calibration_error(top: Floats, hit: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    """Return the mean difference between probability and accuracy in ten equal bins, weighted by their prompts."""
    bins = np.minimum((top * BINS).astype(int), BINS - 1)
    parts = [
        np.count_nonzero(bins == number) * abs(float(top[bins == number].mean()) - float(hit[bins == number].mean()))
        for number in np.unique(bins)
    ]
    return round(float(sum(parts)) / len(top), 4)


def _at_threshold(
    value: float,
    top: Floats,
    hit: np.ndarray[tuple[int], np.dtype[np.bool_]],
    none: np.ndarray[tuple[int], np.dtype[np.bool_]],
) -> AtThreshold:
    answered = top >= value
    right = int(np.count_nonzero(answered & hit))
    return AtThreshold(
        threshold=value,
        coverage=_share(int(np.count_nonzero(answered)), len(top)),
        accuracy=_share(right, int(np.count_nonzero(answered))),
        served=_share(right + int(np.count_nonzero(~answered & none)), len(top)),
        false_alarms=_false_alarms(answered, none),
    )


def _false_alarms(
    answered: np.ndarray[tuple[int], np.dtype[np.bool_]], none: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> float | None:
    """Return the share of prompts of no category that get one; None without such prompts."""
    count = int(np.count_nonzero(none))
    return _share(int(np.count_nonzero(answered & none)), count) if count else None


def _at_coverage(share: float, top: Floats, hit: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> AtCoverage:
    surest = np.argsort(-top, kind="stable")[: max(1, round(share * len(top)))]
    return AtCoverage(
        coverage=_share(len(surest), len(top)),
        accuracy=_share(int(np.count_nonzero(hit[surest])), len(surest)),
        threshold=round(float(top[surest[-1]]), 4),
    )


def _categories(names: Sequence[str], pairs: Counter[tuple[str, str]]) -> list[OfCategory]:
    expected, predicted = Counter[str](), Counter[str]()
    for (category, label), count in pairs.items():
        expected[category] += count
        predicted[label] += count
    return [
        OfCategory(
            name=name,
            count=expected[name],
            found=predicted[name],
            right=pairs[name, name],
            recall=_share(pairs[name, name], expected[name]),
            precision=_share(pairs[name, name], predicted[name]),
        )
        for name in names
    ]


def _misses(cases: Sequence[LabelledPrompt], served: Sequence[str], top: Floats) -> list[Miss]:
    """Return misclassified prompts, most confident first: there examples are missing or have the wrong category."""
    wrong = [index for index, case in enumerate(cases) if case.category != served[index]]
    wrong.sort(key=lambda index: (-float(top[index]), index))
    return [
        Miss(
            category=cases[index].category,
            found=served[index],
            probability=round(float(top[index]), 4),
            prompt=" ".join(cases[index].prompt.split())[:_SHOWN],
            line=cases[index].line or None,
        )
        for index in wrong[:MISSES]
    ]


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
