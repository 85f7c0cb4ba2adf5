"""Groups of embedding signals of which only one holds: the most similar one, or a default if none does.

Source of the stock router's meaning: ``pkg/classification/classifier_signal_group_resolution.go`` at 3d48f8c.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vsr_runtime.decision.signals.model_signals import EmbeddingSignal, ModelResults
from vsr_runtime.decision.signals.score import Score
from vsr_runtime.decision.view import RequestView


@dataclass(frozen=True, slots=True)
class ExclusiveEmbedding:
    """A member of a group. It holds if it is the most similar of those that reach their thresholds.

    Attributes:
        name: its name.
        members: the signals of the group, by name.
        default: whether it holds if no member reaches its threshold.
        temperature: of the softmax that gives the winner's confidence; None to keep the similarity.
    """

    name: str
    members: Mapping[str, EmbeddingSignal]
    default: bool
    temperature: float | None
    detector: None = None

    @property
    def everywhere(self) -> bool:
        """Whether it reads all texts of the request; a group never does."""
        return False

    def texts(self, view: RequestView) -> Sequence[str]:
        """Return the texts that the encoder must read."""
        return self.members[self.name].texts(view)

    def evaluate(self, view: RequestView, results: ModelResults) -> bool | None:
        """Return whether it is the signal of its group that holds."""
        score = self.score(view, results)
        return None if score is None else score.holds

    def score(self, view: RequestView, results: ModelResults) -> Score | None:
        """Return its own similarity, and how certain it is that it is the one."""
        scores = {name: signal.score(view, results) for name, signal in self.members.items()}
        known = {name: score for name, score in scores.items() if score is not None}
        if len(known) < len(scores):
            return None
        value = known[self.name].value
        # Among equals the first name wins, because the stock router lists matches by similarity, then by name.
        reached = sorted((name for name in known if known[name].holds), key=lambda name: (-known[name].value, name))
        if not reached:
            return Score(self.default, value)
        if reached[0] != self.name:
            return Score(holds=False, value=value, confidence=0.0)
        if self.temperature is None or len(reached) == 1:
            return Score(holds=True, value=value, confidence=value)
        shares = [math.exp((known[name].value - value) / self.temperature) for name in reached]
        return Score(holds=True, value=value, confidence=1 / sum(shares))
