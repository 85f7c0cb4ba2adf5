"""Splits a classification model of transformers into its encoder and a head over the encoder's packed output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vsr_runtime.inference.checkpoint import Checkpoint, Kind
from vsr_runtime.inference.errors import ModelError, gpu_extra

with gpu_extra():
    import torch
    from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterator

Spans = Sequence[tuple[int, int]]


@dataclass(frozen=True)
class TorchHead:
    """The layers after the encoder.

    Attributes:
        kind: Whether it labels sequences or tokens.
        pooling: ``mean`` of a sequence's tokens, or its first (``cls``).
        top: From pooled sequences, or tokens, of shape ``[n, hidden]`` to logits.
        exclusive: Whether labels exclude each other (softmax), or are independent (sigmoid).
    """

    kind: Kind
    pooling: str
    top: Callable[[Tensor], Tensor]
    exclusive: bool

    def of_sequences(self, hidden: Tensor, ends: Tensor, spans: Spans) -> Tensor:
        """Probabilities, float32, shape ``[sequences, labels]``.

        Args:
            hidden: Shape ``[tokens, hidden]``.
            ends: Starts of the sequences, and the end of the last; shape ``[sequences + 1]``.
            spans: The same as ranges.
        """
        if self.pooling == "mean":
            pooled = torch.stack([hidden[begin:end].mean(dim=0) for begin, end in spans])
        else:
            pooled = hidden[ends[:-1].long()]
        return self._probabilities(self.top(pooled))

    def of_tokens(self, hidden: Tensor) -> Tensor:
        """Probabilities, float32, shape ``[tokens, labels]``."""
        return self._probabilities(self.top(hidden))

    def _probabilities(self, logits: Tensor) -> Tensor:
        return logits.float().softmax(dim=-1) if self.exclusive else logits.float().sigmoid()


def load_model(checkpoint: Checkpoint, dtype: torch.dtype, device: str) -> tuple[Any, TorchHead]:
    """Load a checkpoint of a packed family, and split it.

    Raises:
        ModelError: Transformers cannot load it, or it is not of such a family.
    """
    model = load_whole(checkpoint, dtype, device)
    if checkpoint.family is None:
        raise ModelError(f"{checkpoint.folder} is of an architecture that is not packed")
    base = getattr(model, checkpoint.family.base)
    pooling = getattr(model.config, "classifier_pooling", "cls") if checkpoint.kind == "sequence" else "cls"
    return base, TorchHead(checkpoint.kind, pooling, _top(model, base, checkpoint), is_exclusive(checkpoint))


def is_exclusive(checkpoint: Checkpoint) -> bool:
    """Whether labels exclude each other."""
    return checkpoint.config.get("problem_type") != "multi_label_classification"


def load_whole(checkpoint: Checkpoint, dtype: torch.dtype, device: str) -> Any:  # noqa: ANN401 - of many classes
    """Load a checkpoint as a model of transformers.

    Raises:
        ModelError: Transformers cannot load it, or it lacks weights.
    """
    with gpu_extra():
        from transformers import (  # noqa: PLC0415 - takes seconds
            AutoModelForSequenceClassification,
            AutoModelForTokenClassification,
        )
    auto = AutoModelForSequenceClassification if checkpoint.kind == "sequence" else AutoModelForTokenClassification
    try:
        with _quiet():
            model, report = auto.from_pretrained(
                str(checkpoint.folder),
                dtype=dtype,
                local_files_only=True,
                output_loading_info=True,
                trust_remote_code=False,
                use_safetensors=True,
            )
    except Exception as error:  # whatever a damaged checkpoint makes transformers raise
        raise ModelError(f"transformers cannot load {checkpoint.folder}: {error}") from error
    if missing := sorted(report.get("missing_keys", ())):
        raise ModelError(f"{checkpoint.folder} lacks weights ({', '.join(missing[:3])} …); fetch it again")
    outputs = int(model.config.num_labels)
    if outputs != len(checkpoint.labels):
        raise ModelError(f"{checkpoint.folder} has {outputs} outputs but {len(checkpoint.labels)} labels")
    return model.to(device).eval()


def _top(model: Any, base: Any, checkpoint: Checkpoint) -> Callable[[Tensor], Tensor]:  # noqa: ANN401 - as above
    kind = checkpoint.config["model_type"]
    parts: list[Any] = [model.classifier]
    if kind == "modernbert":
        parts = [model.head, model.classifier]
    elif checkpoint.kind == "sequence" and kind == "bert":
        parts = [base.pooler.dense, base.pooler.activation, model.classifier]
    elif checkpoint.kind == "sequence":
        parts = [nn.Unflatten(0, (-1, 1)), model.classifier]  # RoBERTa's head takes the first token itself

    def top(values: Tensor) -> Tensor:
        for part in parts:
            values = part(values)
        return values

    return top


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from printing: relevant problems become errors."""
    from transformers.utils import logging  # noqa: PLC0415 - takes seconds

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(before)
