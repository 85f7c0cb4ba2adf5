"""What detectors are asked for guards and for signals at the same time, and what their answers say to signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vsr_runtime.decision.guards.detection import Judged, Seen
from vsr_runtime.decision.program.program import Undecided
from vsr_runtime.decision.request.events import Cause, Look

Texts = Mapping[str, Sequence[str]]
"""By detector, what it reads."""


def joined(guards: Texts, signals: Texts) -> dict[str, tuple[str, ...]]:
    """One question for each detector: the texts of guards first, as guards count them, then what only signals ask."""
    found = {name: list(guards.get(name, ())) for name in sorted({*guards, *signals})}
    for name, texts in signals.items():
        found[name] += [text for text in dict.fromkeys(texts) if text not in set(found[name])]
    return {name: tuple(texts) for name, texts in found.items()}


def scores(asked: Texts, looks: Mapping[str, Look]) -> dict[str, dict[str, float]]:
    """How probable an attack is, by detector and text; a detector that failed is left out."""
    found: dict[str, dict[str, float]] = {}
    for name, texts in asked.items():
        look = looks.get(name, Cause.BROKEN)
        if not isinstance(look, Cause):
            pairs = zip(texts, look, strict=False)  # one that is too short leaves texts without a verdict
            found[name] = {text: _highest(seen) for text, seen in pairs if isinstance(seen, Judged)}
    return found


def seen(asked: Texts, looks: Mapping[str, Look]) -> dict[str, dict[str, Seen]]:
    """What each detector saw, by text; a detector that failed is left out."""
    given = {name: (texts, looks.get(name, Cause.BROKEN)) for name, texts in asked.items()}
    return {
        name: dict(zip(texts, look, strict=False))
        for name, (texts, look) in given.items()
        if not isinstance(look, Cause)
    }


def cause_of(left: Undecided, looks: Mapping[str, Look]) -> Cause:
    """Why something is still open: the cause that a detector gave which is still needed, else that it said nothing."""
    given = (looks.get(name) for name in left.detectors)
    return next((cause for cause in given if isinstance(cause, Cause)), Cause.BROKEN)


def _highest(seen: Seen) -> float:
    """The score of what a detector is most sure of in a text."""
    return max((span.score for span in seen.spans(None, 0.0)), default=0.0)
