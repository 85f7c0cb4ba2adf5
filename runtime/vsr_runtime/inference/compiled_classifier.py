"""Everything compiled over one sentence encoder, in this process: a text is embedded once for all of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from vsr_runtime.inference.classifier import CategoryClassifier, Classification, Embedder, load_encoder, load_head
from vsr_runtime.inference.errors import ModelError
from vsr_schemas.runtime import ClassifierSettings, EncoderSettings

if TYPE_CHECKING:
    from vsr_runtime.inference.sentences import Sentences

NOTHING = Classification(None, 0.0, {})
"""The result if no category is needed."""


class CompiledClassifier:
    """An encoder with a head for categories, with the policy's sentences, or both. Safe to use from several threads."""

    def __init__(self, encoder: Embedder, category: CategoryClassifier | None, sentences: Sentences | None) -> None:
        self._encoder = encoder
        self._category = category
        self._sentences = sentences

    @classmethod
    def load(
        cls,
        category: ClassifierSettings | None,
        likeness: ClassifierSettings | None,
        folder: Path,
        opened: Callable[[EncoderSettings], Embedder] | None = None,
    ) -> CompiledClassifier:
        """Load what the settings describe.

        Args:
            category: The category classifier; None if there is none.
            likeness: The sentences; None if there are none.
            folder: The folder of the files.
            opened: Returns the encoder, which others may use too; None to load it.

        Raises:
            ModelError: A file is missing, damaged or not the one that the settings name, the two need different
                encoders, the encoder cannot be used, or a package of the ``classify`` extra is not installed.
        """
        from vsr_runtime.inference.sentences import load_sentences  # noqa: PLC0415 - needs the extra; says so where it lacks

        encoders = [one.encoder for one in (category, likeness) if one is not None]
        if not encoders or any(one is None or one != encoders[0] for one in encoders) or encoders[0] is None:
            raise ModelError("categories and sentences need one and the same encoder; compile the policy again")
        head = load_head(category.head, category.labels, folder) if category and category.head else None
        encoder = (opened or load_encoder)(encoders[0])
        sentences = load_sentences(likeness, folder, encoder) if likeness else None
        categories = CategoryClassifier.from_parts(encoder, head, category.threshold) if category and head else None
        return cls(encoder, categories, sentences)

    def classify(self, text: str) -> Classification:
        """Classify one text; blocks for some milliseconds of CPU."""
        embeddings = self._encoder.embed([text])
        found = self._category.classify_embedding(embeddings) if self._category else NOTHING
        if self._sentences is None:
            return found
        cosines = map(float, self._sentences.likeness(embeddings)[0])
        return replace(found, likeness=dict(zip(self._sentences.labels, cosines, strict=True)))
