"""A compiled classifier head: a softmax over sentence embeddings that may also answer "none of these".

What a label gets is the sum of two parts. The linear part knows what tells subjects apart. The prototypes, the mean
directions of topics, know what was seen: a prompt near a topic of one label and far from all others is that label's,
even where a plane cannot separate them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vsr_runtime.inference.errors import ModelError, classify_extra
from vsr_runtime.inference.head_file import ALGORITHM, ATTENTION_ALGORITHM, MIDDLE_ALGORITHM, head_metadata, pack

with classify_extra():
    import numpy as np
    from numpy.typing import NDArray
    from safetensors import SafetensorError
    from safetensors.numpy import load

    from vsr_runtime.inference.attention_pooling import AttentionPooling
    from vsr_runtime.inference.prototypes import Prototypes
    from vsr_runtime.inference.tensors import tensor

if TYPE_CHECKING:
    from vsr_runtime.inference.encoder import Layer


@dataclass(frozen=True, eq=False)
class Head:
    """A classifier with a rest.

    The logit of a label is ``(weight · embedding + bias + nearness - nearness of none) / temperature``. Nearness is
    ``log(mean of exp(sharpness * prototype · embedding))`` over its prototypes; "none of these" has the logit 0.
    So one category alone is a classifier too, and the probabilities of the labels add up to less than one.

    Attributes:
        labels: The categories, in the order of the rows.
        weight: Shape ``[labels, dimension]``, float32.
        bias: Shape ``[labels]``, float32.
        temperature: Above 0; fitted on held-out examples.
        inputs: sha256 of what the head was trained from.
        prototypes: None for a head without: all nearness is then 0.
        threshold: The probability below which an answer had better be none, computed from the examples.
        measured: What the head was measured to find, as ``vsr_compiler`` writes it; empty if it was not.
        rest: The label of "none of these", the last of ``labels``; None if it has no label.
        layer: The layer of the encoder whose embeddings it takes, or how it pools the tokens of the middle one.
    """

    labels: tuple[str, ...]
    weight: NDArray[np.float32] = field(repr=False)
    bias: NDArray[np.float32] = field(repr=False)
    temperature: float
    inputs: str
    threshold: float = 0.5
    prototypes: Prototypes | None = None
    measured: str = ""
    rest: str | None = None
    layer: Layer = "last"

    def __post_init__(self) -> None:
        rows = len(self.labels) - (self.rest is not None)
        sound = (
            rows > 0
            and len(set(self.labels)) == len(self.labels)
            and self.rest in (None, self.labels[-1])
            and self.weight.ndim == 2  # noqa: PLR2004 - a matrix
            and self.weight.shape[0] == rows
            and self.bias.shape == (rows,)
            and bool(np.isfinite(self.weight).all() and np.isfinite(self.bias).all())
            and 0 < self.temperature < float("inf")
            and 0 <= self.threshold <= 1
            and (self.prototypes is None or self.prototypes.fit(rows, self.weight.shape[1]))
            and (not isinstance(self.layer, AttentionPooling) or self.layer.size == self.weight.shape[1])
        )
        if not sound:
            raise ModelError("the classifier head does not fit together; compile the policy again with --rebuild")

    def probabilities(self, embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The probability of each label.

        Args:
            embeddings: Shape ``[n, dimension]``.

        Returns:
            Shape ``[n, labels]``; one minus the sum of a row is the probability of none of these, unless that has a
            label.

        Raises:
            ModelError: The embeddings are of another dimension: they come from another encoder.
        """
        if embeddings.shape[-1] != self.weight.shape[1]:
            raise ModelError(
                f"the classifier head takes embeddings of {self.weight.shape[1]} numbers, the encoder gives "
                f"{embeddings.shape[-1]}; compile the policy again with --rebuild",
            )
        logits = embeddings @ self.weight.T + self.bias
        if self.prototypes is not None:
            logits = logits + self.prototypes.nearness(embeddings, len(self.weight))
        logits /= self.temperature
        peak = np.maximum(logits.max(axis=1, keepdims=True), 0)
        odds = np.exp(logits - peak)
        none = np.exp(-peak)
        if self.rest is not None:
            odds, none = np.hstack([odds, none]), np.zeros_like(none)
        shares: NDArray[np.float32] = (odds / (odds.sum(axis=1, keepdims=True) + none)).astype(np.float32)
        return shares

    def to_bytes(self) -> bytes:
        """The file; equal heads give equal bytes."""
        metadata = {
            "algorithm": ALGORITHM,
            "inputs": self.inputs,
            "labels": json.dumps(self.labels, ensure_ascii=False),
            "temperature": repr(float(self.temperature)),
            "threshold": repr(float(self.threshold)),
        }
        if self.measured:
            metadata["measured"] = self.measured
        if self.rest is not None:
            metadata["rest"] = self.rest
        if self.layer == "middle":
            metadata["algorithm"] = MIDDLE_ALGORITHM
        arrays: dict[str, NDArray[Any]] = {"bias": self.bias, "weight": self.weight}
        if isinstance(self.layer, AttentionPooling):
            metadata["algorithm"] = ATTENTION_ALGORITHM
            arrays |= {"queries": self.layer.queries.astype(np.float16), "weight": self.weight.astype(np.float16)}
        if self.prototypes is not None:
            arrays |= self.prototypes.arrays()
        return pack(metadata, {name: tensor(value) for name, value in arrays.items()})

    @classmethod
    def from_bytes(cls, data: bytes) -> Head:
        """Reads a file.

        Raises:
            ModelError: It is not a head, is damaged, or was written by an incompatible release.
        """
        metadata = head_metadata(data)
        try:
            tensors = load(data)
            return cls(
                labels=tuple(json.loads(metadata["labels"])),
                weight=tensors["weight"].astype(np.float32),
                bias=tensors["bias"].astype(np.float32),
                temperature=float(metadata["temperature"]),
                inputs=metadata["inputs"],
                threshold=float(metadata["threshold"]),
                prototypes=Prototypes.from_arrays(tensors),
                measured=metadata.get("measured", ""),
                rest=metadata.get("rest"),
                layer=_layer(metadata["algorithm"], tensors),
            )
        except (SafetensorError, KeyError, ValueError, TypeError) as error:
            raise ModelError(f"the classifier head is damaged ({error!r}); compile the policy again") from error


def _layer(algorithm: str, tensors: Mapping[str, NDArray[Any]]) -> Layer:
    if algorithm == ATTENTION_ALGORITHM:
        return AttentionPooling(tensors["queries"].astype(np.float32))
    return "middle" if algorithm == MIDDLE_ALGORITHM else "last"
