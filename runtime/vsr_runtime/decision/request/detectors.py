"""Texts for detectors, and their results for guards and signals."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TypeVar

from vsr_runtime.decision.guards.detection import Detection, TextVerdict
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.program.outcome import Undecided
from vsr_runtime.decision.request.events import Cause, DetectorResult

T = TypeVar("T")
DetectorTexts = Mapping[str, Sequence[str]]
"""Texts by detector."""
DetectorResults = Mapping[str, DetectorResult]
DetectorCoroutine = Generator[DetectorTexts, DetectorResults, T]
"""Work that needs detectors midway: yields the texts that they must read, and receives their results."""


class DetectorError(Exception):
    """A detector failed, and its guard lets nothing pass on errors."""

    def __init__(self, guard: Guard, cause: Cause) -> None:
        super().__init__(guard.name)
        self.guard = guard
        self.cause = cause


def merge_texts(guards: DetectorTexts, signals: DetectorTexts) -> dict[str, tuple[str, ...]]:
    """Return the texts for each detector: those of guards first, in their order, then those that only signals need."""
    merged = {name: list(guards.get(name, ())) for name in sorted({*guards, *signals})}
    for name, texts in signals.items():
        merged[name] += [text for text in dict.fromkeys(texts) if text not in set(merged[name])]
    return {name: tuple(texts) for name, texts in merged.items()}


def attack_scores(requested: DetectorTexts, results: Mapping[str, DetectorResult]) -> dict[str, dict[str, float]]:
    """Return the probability of an attack by detector and text, without failed detectors."""
    merged: dict[str, dict[str, float]] = {}
    for name, texts in requested.items():
        result = results.get(name, Cause.BROKEN)
        if not isinstance(result, Cause):
            pairs = zip(texts, result, strict=False)  # a short result leaves texts without a verdict
            merged[name] = {
                text: _highest_score(verdict) for text, verdict in pairs if isinstance(verdict, TextVerdict)
            }
    return merged


def detections_by_text(
    requested: DetectorTexts, results: Mapping[str, DetectorResult]
) -> dict[str, dict[str, Detection]]:
    """Return the detections by detector and text, without failed detectors."""
    answered = {name: (texts, results.get(name, Cause.BROKEN)) for name, texts in requested.items()}
    return {
        name: dict(zip(texts, result, strict=False))
        for name, (texts, result) in answered.items()
        if not isinstance(result, Cause)
    }


def missing_cause(undecided: Undecided, results: Mapping[str, DetectorResult]) -> Cause:
    """Return why the outcome is still undecided: the cause of a required detector, otherwise `Cause.BROKEN`."""
    causes = (results.get(name) for name in undecided.detectors)
    return next((cause for cause in causes if isinstance(cause, Cause)), Cause.BROKEN)


def _highest_score(detection: Detection) -> float:
    """Return the highest score of a detection."""
    return max((span.score for span in detection.spans(None, 0.0)), default=0.0)
