"""A policy's sentences as embeddings of the encoder that reads requests, so that similarity is a matrix product."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vsr_runtime.files import read_regular
from vsr_runtime.inference.classifier import Embedder
from vsr_runtime.inference.errors import ModelError, classify_extra
from vsr_runtime.inference.head_file import MAX_HEAD, SENTENCES, SENTENCES_ALGORITHM, file_metadata, pack
from vsr_runtime.log import log
from vsr_schemas.runtime import ClassifierSettings

with classify_extra():
    import numpy as np
    from numpy.typing import NDArray
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from vsr_runtime.inference.tensors import tensor


@dataclass(frozen=True, eq=False)
class Sentences:
    """Sentences and their embeddings.

    Attributes:
        labels: The sentences, in the order of the rows.
        vectors: Shape ``[sentences, dimension]``, float32, rows of length one.
        inputs: sha256 of the sentences and the encoder.
    """

    labels: tuple[str, ...]
    vectors: NDArray[np.float32] = field(repr=False)
    inputs: str

    def __post_init__(self) -> None:
        sound = (
            self.vectors.ndim == 2  # noqa: PLR2004 - a matrix
            and len(self.labels) == self.vectors.shape[0] > 0
            and bool(np.isfinite(self.vectors).all())
        )
        if not sound:
            raise ModelError(f"the {SENTENCES} does not fit together; compile the policy again with --rebuild")

    def likeness(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosine of each text with each sentence.

        Args:
            embeddings: Shape ``[n, dimension]``, rows of length one.

        Returns:
            Shape ``[n, sentences]``.

        Raises:
            ModelError: The embeddings have another dimension: they come from another encoder.
        """
        if embeddings.shape[-1] != self.vectors.shape[1]:
            raise ModelError(
                f"the {SENTENCES} has embeddings of {self.vectors.shape[1]} numbers, the encoder gives "
                f"{embeddings.shape[-1]}; compile the policy again with --rebuild",
            )
        cosines: NDArray[np.float32] = embeddings @ self.vectors.T
        return cosines

    def to_bytes(self) -> bytes:
        """Serialise. The sentences themselves are in ``runtime.yaml``; ``inputs`` identifies them and their order."""
        metadata = {"algorithm": SENTENCES_ALGORITHM, "inputs": self.inputs}
        return pack(metadata, {"vectors": tensor(self.vectors)})

    @classmethod
    def from_bytes(cls, data: bytes, labels: Sequence[str]) -> Sentences:
        """Read a file.

        Raises:
            ModelError: It is not such a file, is damaged, or was written by an incompatible release.
        """
        metadata = file_metadata(data, SENTENCES_ALGORITHM, SENTENCES)
        try:
            return cls(tuple(labels), load(data)["vectors"].astype(np.float32), metadata["inputs"])
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            raise ModelError(f"the {SENTENCES} is damaged ({error!r}); compile the policy again") from error


def load_sentences(settings: ClassifierSettings, folder: Path, encoder: Embedder) -> Sentences:
    """Read the vectors of the settings' sentences, or make them where the settings name no file.

    Raises:
        ModelError: The file is missing, damaged, or not the one that the settings name.
    """
    if settings.head is None:
        log(
            "sentences_read",
            sentences=len(settings.labels),
            encoder=settings.encoder.repo if settings.encoder else None,
        )
        return Sentences(tuple(settings.labels), encoder.embed(settings.labels), "")
    path = folder / settings.head.file
    try:
        found = Sentences.from_bytes(read_regular(path, MAX_HEAD), settings.labels)
    except OSError as error:
        raise ModelError(f"{path} cannot be read ({error.strerror}); compile the policy again") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    if found.inputs != settings.head.inputs:
        raise ModelError(f"{path} was made from other sentences than runtime.yaml says; compile the policy again")
    return found
