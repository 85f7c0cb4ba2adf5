"""A compiled head that reads one text at a time, as the engine has it: for tests of a policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vsr_runtime.decision.guards.detection import Detection, most_likely
from vsr_runtime.inference.classifier import Embedder, load_encoder, load_head
from vsr_runtime.inference.compiled_task import compiled_tasks
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.task import Task
from vsr_schemas.runtime import ClassifierSettings, EncoderSettings

if TYPE_CHECKING:
    from vsr_runtime.inference.head import Head


class CompiledDetector:
    """An encoder and the head of a task of its own."""

    def __init__(self, task: Task, encoder: Embedder, head: Head) -> None:
        self._task = task
        self._encoder = encoder
        self._head = head

    @classmethod
    def load(
        cls,
        name: str,
        settings: ClassifierSettings,
        folder: Path,
        opened: Callable[[EncoderSettings], Embedder] | None = None,
    ) -> CompiledDetector:
        """Load a classifier.

        Args:
            name: Its name in the settings.
            settings: Its settings.
            folder: The folder of its file.
            opened: Returns the encoder, which others may use too; None to load it.

        Raises:
            ModelError: The head is missing, damaged or not the one that the settings name, or the encoder cannot be
                used.
        """
        if settings.head is None or settings.encoder is None:
            raise ModelError(f"classifier {name}: has no head")
        head = load_head(settings.head, settings.labels, folder)
        task = compiled_tasks({name: settings})[name]
        return cls(task, (opened or load_encoder)(settings.encoder), head)

    def detect(self, text: str) -> Detection:
        """Return the most probable label of a text; blocks."""
        return most_likely(self.probabilities(text), self._task.labels, text, self._task.name)

    def probabilities(self, text: str) -> Mapping[str, float]:
        """Return the probability of each label; blocks."""
        task = self._task
        cuts = [[(0, 0)]]
        if task.windows.whole:
            found = task.tokenizer([text])
            cuts = task.cuts(found)
        if len(cuts[0]) == 1:
            embeddings = self._encoder.embed([text])
        else:
            embeddings = self._encoder.embed_ids([sequence.ids for sequence in task.sequences(found, cuts)])
        answers = [{task.name: row} for row in self._head.probabilities(embeddings)]
        (answer,) = task.label_probabilities(answers, cuts)
        return answer
