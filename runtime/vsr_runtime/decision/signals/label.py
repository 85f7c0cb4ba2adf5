"""The signal for the label that a classifier gives a request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vsr_runtime.decision.signals.model_signals import ModelResults
from vsr_runtime.decision.view import RequestView


@dataclass(frozen=True, slots=True)
class LabelSignal:
    """Holds if a classifier gives the person's ask, or all texts of the request as one, one of these labels.

    Attributes:
        detector: the classifier.
        labels: the labels.
        threshold: the probability below which a text has no label.
        fallback: the label of such a text; None if it has none.
    """

    detector: str
    labels: frozenset[str]
    threshold: float
    fallback: str | None = None
    everywhere: bool = False

    @property
    def reads_ask(self) -> bool:
        """Whether the classifier must read each ask of a conversation by itself."""
        return not self.everywhere

    def texts(self, view: RequestView) -> Sequence[str]:
        """Return the person's ask, or all texts of the request as one; nothing if that is blank."""
        text = view.text(everywhere=self.everywhere)
        return (text,) if text.strip() else ()

    def evaluate(self, view: RequestView, results: ModelResults) -> bool | None:
        """Return whether the label is one of the signal's; None if the classifier has not read the text."""
        detections = results.detections.get(self.detector, {})
        texts = self.texts(view)
        if not texts:
            return False
        if texts[0] not in detections:
            return None
        spans = detections[texts[0]].spans(None, self.threshold)
        label = max(spans, key=lambda span: span.score).type if spans else self.fallback
        return label in self.labels
