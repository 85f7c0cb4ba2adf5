"""Sentence encoders that several policies share: a text that one of them has read is not read again for another."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING

from vsr_runtime.inference.classifier import Embedder, load_encoder
from vsr_schemas.runtime import EncoderSettings

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from vsr_runtime.inference.encoder import Layer

REMEMBERED = 512
"""Embeddings that are remembered: 1.5 KiB each, and as many times more by attention as a head has queries."""


class RememberingEncoder:
    """An encoder that remembers the latest embeddings, by digests of their texts. Safe to use from several threads."""

    def __init__(self, encoder: Embedder) -> None:
        self._encoder = encoder
        self._known: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._lock = Lock()

    @property
    def dimension(self) -> int:
        """The length of an embedding."""
        return self._encoder.dimension

    def embed(self, texts: Sequence[str], layer: Layer = "last") -> NDArray[np.float32]:
        """Embed texts; a row for each."""
        import numpy as np  # noqa: PLC0415 - an encoder is at hand, so the package is

        return np.stack([self._one(text, layer) for text in texts])

    def embed_ids(self, sequences: Sequence[Sequence[int]], layer: Layer = "last") -> NDArray[np.float32]:
        """Embed sequences of token ids; a row for each."""
        import numpy as np  # noqa: PLC0415 - as above

        return np.stack([self._sequence(ids, layer) for ids in sequences])

    def _one(self, text: str, layer: Layer) -> NDArray[np.float32]:
        key = b"t %s " % _key(layer) + text.encode("utf-8", "surrogatepass")
        return self._known_or(key, lambda: self._encoder.embed([text], layer))

    def _sequence(self, ids: Sequence[int], layer: Layer) -> NDArray[np.float32]:
        key = b"i %s " % _key(layer) + b",".join(b"%d" % number for number in ids)
        return self._known_or(key, lambda: self._encoder.embed_ids([ids], layer))

    def _known_or(self, content: bytes, compute: Callable[[], NDArray[np.float32]]) -> NDArray[np.float32]:
        key = blake2b(content, digest_size=16).digest()
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = compute()[0]
            with self._lock:
                self._known[key] = known
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return known


def _key(layer: Layer) -> bytes:
    from vsr_runtime.inference.encoder import layer_key  # noqa: PLC0415 - an encoder is at hand, so its packages are

    return layer_key(layer).encode()


class SharedEncoders:
    """The encoders that are loaded, by their settings. Those of the latest two are kept.

    Args:
        load: loads an encoder.
    """

    def __init__(self, load: Callable[[EncoderSettings], Embedder] = load_encoder) -> None:
        self._load = load
        self._loaded: OrderedDict[str, RememberingEncoder] = OrderedDict()
        self._lock = Lock()

    def opened(self, settings: EncoderSettings) -> RememberingEncoder:
        """Return the encoder of some settings; load it if it is the first time.

        Raises:
            ModelError: it cannot be used, or a package of the ``classify`` extra is not installed.
        """
        key = settings.model_dump_json()
        with self._lock:
            if key not in self._loaded:
                self._loaded[key] = RememberingEncoder(self._load(settings))
            self._loaded.move_to_end(key)
            while len(self._loaded) > _ENCODERS:
                self._loaded.popitem(last=False)
            return self._loaded[key]


_ENCODERS = 2
"""That of the active policy and that of the candidate."""
