"""Assigns one of a policy's categories to a text, or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vsr_runtime.files import read_regular
from vsr_runtime.inference.encoder_files import find_encoder
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.head_file import MAX_HEAD
from vsr_runtime.shipped_heads import path_of
from vsr_schemas.runtime import ClassifierSettings, EncoderSettings
from vsr_schemas.runtime import HeadSettings as HeadFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vsr_runtime.inference.encoder import Layer, SentenceEncoder
    from vsr_runtime.inference.head import Head


@dataclass(frozen=True, slots=True)
class Classification:
    """A classification.

    Attributes:
        label: The most probable category; None if its probability is below the threshold.
        probability: That of the most probable category, also if ``label`` is None.
        probabilities: Those of every category; they add up to at most one, the rest is "none of these".
        likeness: The cosine with each sentence of the policy, if there are any.
    """

    label: str | None
    probability: float
    probabilities: Mapping[str, float]
    likeness: Mapping[str, float] = field(default_factory=dict)


class Embedder(Protocol):
    """What embeds texts: a sentence encoder, or one that remembers what it has read."""

    @property
    def dimension(self) -> int: ...  # noqa: D102 - the length of an embedding

    def embed(self, texts: Sequence[str], layer: Layer = "last") -> NDArray[np.float32]:
        """Embed texts; a row for each, of length one."""

    def embed_ids(self, sequences: Sequence[Sequence[int]], layer: Layer = "last") -> NDArray[np.float32]:
        """Embed sequences of token ids, special tokens included."""


class CategoryClassifier:
    """An encoder and a head. Safe to use from several threads."""

    def __init__(self, encoder: Embedder, head: Head, threshold: float) -> None:
        self._encoder = encoder
        self._head = head
        self._threshold = threshold

    @classmethod
    def from_parts(cls, encoder: Embedder, head: Head, threshold: float) -> CategoryClassifier:
        """Combine a loaded encoder and head.

        Raises:
            ModelError: The head was made for embeddings of another size.
        """
        if head.weight.shape[1] != encoder.dimension:
            raise ModelError(
                f"the classifier head takes embeddings of {head.weight.shape[1]} numbers, the encoder gives "
                f"{encoder.dimension}; compile the policy again",
            )
        return cls(encoder, head, threshold)

    @classmethod
    def load(cls, settings: ClassifierSettings, folder: Path) -> CategoryClassifier:
        """Load the classifier of the settings.

        Args:
            settings: From ``runtime.yaml``.
            folder: The folder of ``runtime.yaml`` and of the head.

        Raises:
            ModelError: The head is missing, damaged or not the one that the settings name, the encoder cannot be used,
                or a package of the ``classify`` extra is not installed.
        """
        if settings.head is None or settings.encoder is None:
            raise ModelError("the classifier is a checkpoint, which the engine runs")
        head = load_head(settings.head, settings.labels, folder)
        return cls.from_parts(load_encoder(settings.encoder), head, settings.threshold)

    def classify(self, text: str) -> Classification:
        """Classify one text; blocks for some milliseconds of CPU."""
        return self.classify_embedding(self._encoder.embed([text]))

    def classify_embedding(self, embeddings: NDArray[np.float32]) -> Classification:
        """Classify the first of some embedded texts."""
        row = self._head.probabilities(embeddings)[0]
        best = int(row.argmax())
        probability = float(row[best])
        label = self._head.labels[best] if probability >= self._threshold else None
        return Classification(label, probability, dict(zip(self._head.labels, map(float, row), strict=True)))


def load_encoder(settings: EncoderSettings) -> SentenceEncoder:
    """Load the encoder that settings name.

    Raises:
        ModelError: It cannot be used, or a package of the ``classify`` extra is not installed.
    """
    from vsr_runtime.inference.encoder import SentenceEncoder  # noqa: PLC0415 - needs the extra; says so where it lacks

    return SentenceEncoder.load(find_encoder(settings.repo, settings.sha256), settings.precision)


def load_head(settings: HeadFile, labels: list[str], folder: Path) -> Head:
    """Read a compiled head, from the folder or, if it is one that ships with the runtime, from the package.

    Args:
        settings: Names its file, and what it was trained from.
        labels: Those that it must have, in its order.
        folder: The folder of the file.

    Raises:
        ModelError: It is missing, damaged, or not the one that the settings name.
    """
    from vsr_runtime.inference.head import Head  # noqa: PLC0415 - needs the extra; says so where it lacks

    path = folder / settings.file
    if not path.exists():
        path = path_of(settings.inputs) or path
    try:
        head = Head.from_bytes(read_regular(path, MAX_HEAD))
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); compile the policy again") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    if head.inputs != settings.inputs:
        raise ModelError(f"{path} was trained from other examples than runtime.yaml says; compile the policy again")
    if list(head.labels) != labels:
        raise ModelError(f"{path} knows other categories than runtime.yaml lists; compile the policy again")
    return head
