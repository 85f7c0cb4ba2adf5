"""Builds the signals about labels of classifiers, which the router config only names."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_runtime.decision.program.conditions import SignalName
from vsr_runtime.decision.signals.label import LabelSignal
from vsr_runtime.errors import config_error
from vsr_schemas.runtime import RuntimeSettings

SIGNAL = "classifier"
"""The type of these signals in conditions."""
TASK = "labels"


def label_signals(runtime: RuntimeSettings) -> Mapping[SignalName, LabelSignal]:
    """Return the signals about labels, by type and name.

    Raises:
        UserError: a classifier is not defined, has another task, or never gives a label that a signal names.
    """
    signals: dict[SignalName, LabelSignal] = {}
    for name, bound in ((runtime.detectors and runtime.detectors.labels) or {}).items():
        place = f"detectors.labels.{name}"
        classifier = runtime.classifiers.get(bound.classifier)
        if classifier is None or classifier.task != TASK:
            raise config_error(
                place, f"no classifier {bound.classifier!r} of the task {TASK} is loaded", "runtime.yaml"
            )
        known = [*classifier.labels, *([classifier.fallback] if classifier.fallback else [])]
        if unknown := [label for label in bound.labels if label not in known]:
            message = f"{bound.classifier!r} never gives the label {unknown[0]!r}; its labels are {', '.join(known)}"
            raise config_error(place, message, "runtime.yaml")
        signals[SIGNAL, name] = LabelSignal(
            bound.classifier, frozenset(bound.labels), classifier.threshold, classifier.fallback
        )
    return signals
