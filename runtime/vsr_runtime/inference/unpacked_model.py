"""Runs a checkpoint whose architecture is not packed (such as DeBERTa): one sequence at a time, never padded."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_runtime.inference.checkpoint import Checkpoint
from vsr_runtime.inference.errors import gpu_extra
from vsr_runtime.inference.token_sequence import Answer, TokenSequence
from vsr_runtime.inference.windows import Floats

with gpu_extra():
    import torch
    from torch import nn

    from vsr_runtime.inference.packed_model import DTYPES, Precision, check_device, no_memory
    from vsr_runtime.inference.torch_heads import is_exclusive, load_whole


class UnpackedModel:
    """One checkpoint with its one head."""

    def __init__(self, model: nn.Module, name: str, checkpoint: Checkpoint, device: str) -> None:
        self._model = model
        self._name = name
        self._tokens = checkpoint.kind == "token"
        self._exclusive = is_exclusive(checkpoint)
        self._device = device

    @classmethod
    def load(cls, name: str, checkpoint: Checkpoint, device: str, precision: Precision) -> UnpackedModel:
        """Load a checkpoint.

        Raises:
            ModelError: It cannot be loaded, or the device does not exist.
        """
        check_device(device)
        return cls(load_whole(checkpoint, DTYPES[precision], device), name, checkpoint, device)

    def prepare(self, sequences: Sequence[TokenSequence]) -> list[torch.Tensor]:
        """The batch's sequences on the device."""
        return [torch.tensor([list(sequence.ids)], dtype=torch.int64, device=self._device) for sequence in sequences]

    def run(self, batch: list[torch.Tensor]) -> list[Answer]:
        """Compute a batch; blocks until it is done.

        Raises:
            NoMemoryError: A sequence does not fit into the device's memory.
        """
        with torch.inference_mode(), no_memory():
            return [{self._name: self._one(ids)} for ids in batch]

    def _one(self, ids: torch.Tensor) -> Floats:
        logits = self._model(input_ids=ids).logits[0].float()
        found = logits.softmax(dim=-1) if self._exclusive else logits.sigmoid()
        numbers: Floats = found.cpu().numpy()
        return numbers
