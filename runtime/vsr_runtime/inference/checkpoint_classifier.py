"""A checkpoint that classifies one text at a time, and the meaning of its result for a policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from vsr_runtime.decision.guards.detection import Detection, most_likely
from vsr_runtime.inference.classifier import Classification
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.task import Task, find_valid_checkpoint, read_task
from vsr_runtime.inference.token_spans import TokenDetection
from vsr_schemas.runtime import ClassifierSettings

if TYPE_CHECKING:
    from vsr_runtime.inference.token_sequence import BatchModel


class CheckpointClassifier:
    """A loaded checkpoint, used without an engine: for policy tests."""

    def __init__(self, task: Task, model: BatchModel[Any], settings: ClassifierSettings) -> None:
        self._task = task
        self._model = model
        self._settings = settings

    @classmethod
    def load(cls, name: str, settings: ClassifierSettings) -> CheckpointClassifier:
        """Load the checkpoint onto the CPU, whatever device serves it.

        Raises:
            ModelError: It is missing or invalid, or a package of the ``gpu`` extra is not installed.
        """
        from vsr_runtime.inference.packed_model import PackedModel  # noqa: PLC0415 - loads torch
        from vsr_runtime.inference.unpacked_model import UnpackedModel  # noqa: PLC0415 - likewise

        task = read_task(name, settings)
        if settings.checkpoint is None:
            raise ModelError(f"classifier {name}: is no checkpoint")
        found = find_valid_checkpoint(name, settings.checkpoint)
        if found.family is None:
            return cls(task, UnpackedModel.load(name, found, "cpu", "fp32"), settings)
        return cls(task, PackedModel.load({name: found}, "cpu", "fp32"), settings)

    def classify(self, text: str) -> Classification:
        """Classify one text; blocks."""
        found = self._task.tokenizer([text])
        cuts = self._task.cuts(found)
        answers = self._model.run(self._model.prepare(self._task.sequences(found, cuts)))
        return classification_of(self._task.label_probabilities(answers, cuts)[0], self._settings)

    def detect(self, text: str) -> Detection:
        """What it sees in a text as a detector; blocks."""
        if self._settings.checkpoint is None or self._settings.checkpoint.kind == "sequence":
            return most_likely(self.classify(text).probabilities, self._settings.labels, text, self._task.name)
        found = self._task.tokenizer([text])
        cuts = self._task.cuts(found)
        sequences = self._task.sequences(found, cuts, frozenset({self._task.name}))
        (labels,) = self._task.token_labels(self._model.run(self._model.prepare(sequences)), found, cuts)
        return TokenDetection(text, self._task.name, labels.labels, labels.offsets, labels.probabilities)


def classification_of(answer: Mapping[str, float], settings: ClassifierSettings) -> Classification:
    """The most probable label, if the policy uses it and it reaches the threshold."""
    best = max(answer, key=lambda label: answer[label])
    known = best in settings.labels and answer[best] >= settings.threshold
    return Classification(best if known else None, answer[best], answer)
