"""Signals about the label that a classifier gives a request."""

from __future__ import annotations

import pytest

from vsr_runtime.decision.guards.detection import TextSpan, TextVerdict
from vsr_runtime.decision.program.build_labels import label_signals
from vsr_runtime.decision.signals.label import LabelSignal
from vsr_runtime.decision.signals.model_signals import ModelResults
from vsr_runtime.decision.view import RequestView
from vsr_runtime.errors import UserError
from vsr_schemas.runtime import RuntimeSettings

VIEW = RequestView("Who was Kant?", history=("Be brief.", "Who was Kant?"))


def results(label: str, score: float, text: str = VIEW.turn) -> ModelResults:
    """What the classifier said of a text."""
    return ModelResults(detections={"facts": {text: TextVerdict(TextSpan(0, 1, label, score, "facts"))}})


@pytest.mark.parametrize(
    ("labels", "label", "score", "holds"),
    [
        ({"fact"}, "fact", 0.6, True),
        ({"fact"}, "fact", 0.59, False),
        ({"fact"}, "opinion", 0.9, False),
        ({"fact", "opinion"}, "opinion", 0.9, True),
        ({"other"}, "fact", 0.59, True),
        ({"other"}, "fact", 0.6, False),
    ],
)
def test_a_signal_holds_for_its_labels_at_the_threshold(labels, label, score, holds):
    """Below it the text has the label `other`."""
    signal = LabelSignal("facts", frozenset(labels), 0.6, "other")
    assert signal.evaluate(VIEW, results(label, score)) is holds


def test_a_text_that_was_not_read_leaves_the_signal_unknown():
    """A failed classifier decides nothing, and a request without text has no label."""
    signal = LabelSignal("facts", frozenset({"other"}), 0.6, "other")
    assert signal.evaluate(VIEW, ModelResults()) is None
    assert signal.evaluate(RequestView(" "), ModelResults()) is False
    assert signal.texts(RequestView(" ")) == ()


def test_a_signal_reads_the_ask_or_the_whole_request():
    """The whole request is one text."""
    signal = LabelSignal("facts", frozenset({"fact"}), 0.6)
    everywhere = LabelSignal("facts", frozenset({"fact"}), 0.6, everywhere=True)
    assert signal.texts(VIEW) == ("Who was Kant?",)
    assert everywhere.texts(VIEW) == ("Be brief.\n\nWho was Kant?",)
    assert (signal.reads_ask, everywhere.reads_ask) == (True, False)


def settings(bound: dict, task: str = "labels") -> RuntimeSettings:
    """Settings with one classifier."""
    encoder = {"repo": "a/b", "sha256": "0" * 64, "precision": "int8"}
    head = {"file": "facts.safetensors", "inputs": "0" * 64}
    classifier = {"task": task, "encoder": encoder, "head": head, "labels": ["fact"], "threshold": 0.6}
    fallback = {"fallback": "other"} if task == "labels" else {}
    return RuntimeSettings.model_validate(
        {
            "apiVersion": "vsr.dev/v1alpha1",
            "kind": "RuntimeSettings",
            "policy": "p",
            "deadline": 1000,
            "limits": {"maxBody": 1000, "maxMessage": 2000},
            "classifiers": {"facts": {**classifier, **fallback}},
            "detectors": {"labels": {"asks": bound}},
        }
    )


def test_signals_are_bound_to_labels_of_classifiers():
    """With the classifier's threshold and fallback."""
    signals = label_signals(settings({"classifier": "facts", "labels": ["fact", "other"]}))
    assert signals == {("classifier", "asks"): LabelSignal("facts", frozenset({"fact", "other"}), 0.6, "other")}


@pytest.mark.parametrize(
    ("bound", "task", "words"),
    [
        ({"classifier": "fats", "labels": ["fact"]}, "labels", "no classifier 'fats' of the task labels"),
        ({"classifier": "facts", "labels": ["fact"]}, "jailbreak", "no classifier 'facts' of the task labels"),
        ({"classifier": "facts", "labels": ["opinion"]}, "labels", "never gives the label 'opinion'"),
    ],
)
def test_what_cannot_be_bound_is_an_error(bound, task, words):
    """The settings name the place."""
    with pytest.raises(UserError, match=words) as caught:
        label_signals(settings(bound, task))
    assert "detectors.labels.asks" in str(caught.value)
