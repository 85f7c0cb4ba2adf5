"""Work that detectors must be asked for midway: it yields the texts that they must look at, and gets what they saw."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import TypeVar

from vsr_runtime.decision.guards.detection import Detection, TextVerdict
from vsr_runtime.decision.guards.guard import Guard
from vsr_runtime.decision.program.program import Undecided
from vsr_runtime.decision.request.events import Cause, DetectorResult

T = TypeVar("T")
DetectorTexts = Mapping[str, Sequence[str]]
"""By detector, the texts."""
DetectorResults = Mapping[str, DetectorResult]
DetectorCoroutine = Generator[DetectorTexts, DetectorResults, T]


class DetectorError(Exception):
    """A detector did not look, and its guard lets nothing pass then."""

    def __init__(self, guard: Guard, cause: Cause) -> None:
        super().__init__(guard.name)
        self.guard = guard
        self.cause = cause


def merge_texts(guards: DetectorTexts, signals: DetectorTexts) -> dict[str, tuple[str, ...]]:
    """One question for each detector: the texts of guards first, as guards count them, then what only signals ask."""
    found = {name: list(guards.get(name, ())) for name in sorted({*guards, *signals})}
    for name, texts in signals.items():
        found[name] += [text for text in dict.fromkeys(texts) if text not in set(found[name])]
    return {name: tuple(texts) for name, texts in found.items()}


def attack_scores(asked: DetectorTexts, looks: Mapping[str, DetectorResult]) -> dict[str, dict[str, float]]:
    """How probable an attack is, by detector and text; a detector that failed is left out."""
    found: dict[str, dict[str, float]] = {}
    for name, texts in asked.items():
        look = looks.get(name, Cause.BROKEN)
        if not isinstance(look, Cause):
            pairs = zip(texts, look, strict=False)  # one that is too short leaves texts without a verdict
            found[name] = {text: _highest_score(seen) for text, seen in pairs if isinstance(seen, TextVerdict)}
    return found


def detections_by_text(asked: DetectorTexts, looks: Mapping[str, DetectorResult]) -> dict[str, dict[str, Detection]]:
    """What each detector saw, by text; a detector that failed is left out."""
    given = {name: (texts, looks.get(name, Cause.BROKEN)) for name, texts in asked.items()}
    return {
        name: dict(zip(texts, look, strict=False))
        for name, (texts, look) in given.items()
        if not isinstance(look, Cause)
    }


def missing_cause(left: Undecided, looks: Mapping[str, DetectorResult]) -> Cause:
    """Why something is still open: the cause that a detector gave which is still needed, else that it said nothing."""
    given = (looks.get(name) for name in left.detectors)
    return next((cause for cause in given if isinstance(cause, Cause)), Cause.BROKEN)


def _highest_score(seen: Detection) -> float:
    """The score of what a detector is most sure of in a text."""
    return max((span.score for span in seen.spans(None, 0.0)), default=0.0)
