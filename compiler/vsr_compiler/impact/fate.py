"""What becomes of one request under one policy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vsr_runtime.decision.request.ending import Ending, ending_of
from vsr_runtime.decision.request.events import ImmediateResponse, SendToModel

UNDECIDED = "undecided"
"""The end of a request for whose decision a model is not here."""


@dataclass(frozen=True, slots=True)
class Margin:
    """How far a request is from another outcome of a classifier.

    Attributes:
        distance: The difference of two probabilities, or of a probability and the threshold.
        words: What it is the distance of.
    """

    distance: float
    words: str


@dataclass(frozen=True, slots=True)
class Fate(Ending):
    """A decision.

    Attributes:
        decided: Whether everything that the decision needs is here.
        margin: How near a decision by category is; None if none was needed.
    """

    decided: bool = True
    margin: Margin | None = None

    @property
    def end(self) -> str:
        """Where the request ends: a model, or the code of an answer in brackets."""
        if not self.decided:
            return UNDECIDED
        return self.model or f"({self.answer})"


def fate_of(action: SendToModel | ImmediateResponse, *, chosen: bool, margin: Margin | None) -> Fate:
    """Return what an action does.

    Args:
        action: The router's last action.
        chosen: Whether the client let the router choose.
        margin: How near the decision was.
    """
    ending = ending_of(action, chosen=chosen)
    return Fate(ending.model, ending.route, ending.answer, ending.status, ending.guards, margin=margin)


def margin_of(probabilities: Mapping[str, float], threshold: float | None) -> Margin | None:
    """Return how near the likeliest category is to the next one, or to the threshold; None without a classifier."""
    ranked = sorted(probabilities.items(), key=lambda item: (-item[1], item[0]))
    if not ranked:
        return None
    (label, best), *others = ranked
    found = []
    if threshold is not None:
        found.append(Margin(abs(best - threshold), f"{label} {best:.3f}, threshold {threshold:g}"))
    if others and (threshold is None or best >= threshold):
        second, probability = others[0]
        found.append(Margin(best - probability, f"{label} {best:.3f}, {second} {probability:.3f}"))
    return min(found, key=lambda margin: margin.distance, default=None)
