"""Sentence encoders that several policies share: of the texts of a batch, each is read once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vsr_runtime.inference.classifier import Embedder, load_encoder
from vsr_schemas.runtime import EncoderSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vsr_runtime.inference.encoder import Layer


class RememberingEncoder:
    """An encoder that remembers the embeddings of a batch. Not for several threads."""

    def __init__(self, encoder: Embedder) -> None:
        self._encoder = encoder
        self._known: dict[tuple[str, str], NDArray[np.float32]] = {}

    @property
    def dimension(self) -> int:
        """The length of an embedding."""
        return self._encoder.dimension

    def embed(self, texts: Sequence[str], layer: Layer = "last") -> NDArray[np.float32]:
        """Embed texts; a row for each. Those known of the batch are not read again."""
        import numpy as np  # noqa: PLC0415 - an encoder is at hand, so the package is

        from vsr_runtime.inference.encoder import layer_key  # noqa: PLC0415 - likewise

        key = layer_key(layer)
        for text in texts:
            if (text, key) not in self._known:
                self._known[text, key] = self._encoder.embed([text], layer)[0]
        return np.stack([self._known[text, key] for text in texts])

    def embed_ids(self, sequences: Sequence[Sequence[int]], layer: Layer = "last") -> NDArray[np.float32]:
        """Embed sequences of token ids, which are parts of long texts and not remembered."""
        return self._encoder.embed_ids(sequences, layer)

    def forget(self) -> None:
        """Forget the embeddings of the batch."""
        self._known.clear()


class SharedEncoders:
    """The encoders that are loaded, by their settings."""

    def __init__(self) -> None:
        self._loaded: dict[str, RememberingEncoder] = {}

    def opened(self, settings: EncoderSettings) -> RememberingEncoder:
        """Return the encoder of some settings; load it if it is the first time.

        Raises:
            ModelError: It cannot be used, or a package of the ``classify`` extra is not installed.
        """
        key = settings.model_dump_json()
        if key not in self._loaded:
            self._loaded[key] = RememberingEncoder(load_encoder(settings))
        return self._loaded[key]

    def forget(self) -> None:
        """Forget the embeddings of the batch that was read."""
        for encoder in self._loaded.values():
            encoder.forget()
