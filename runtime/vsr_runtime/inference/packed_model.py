"""Runs checkpoints over packed batches: sequences one after another, no padding, one forward pass for all heads.

Positions restart with each sequence and attention stays within it, so the result of a sequence does not depend on the
batch: to 1e-5 in fp32. In bf16, matrix products may round differently in another batch; ``benchmarks/inference.py``
reports by how much.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, Literal

from vsr_runtime.inference.checkpoint import Checkpoint
from vsr_runtime.inference.errors import ModelError, NoMemoryError, gpu_extra
from vsr_runtime.inference.token_sequence import Answer, TokenSequence

with gpu_extra():
    import torch
    from torch import Tensor, nn

    from vsr_runtime.inference import attention
    from vsr_runtime.inference.cuda_graphs import Graphs, Mode, compiled
    from vsr_runtime.inference.torch_heads import TorchHead, load_model

if TYPE_CHECKING:
    from vsr_runtime.inference.windows import Floats

Precision = Literal["fp32", "bf16"]
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


@dataclass(frozen=True, slots=True)
class Packed:
    """A batch on its way to the device.

    Attributes:
        ids: Shape ``[1, tokens]``, int64.
        places: Positions, as ``ids``.
        ends: Starts of the sequences, and the end of the last; int32.
        edges: The same as numbers.
        tokens_of: The token heads that any sequence of the batch needs.
    """

    ids: Tensor
    places: Tensor
    ends: Tensor
    edges: tuple[int, ...]
    tokens_of: frozenset[str]

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence."""
        return max(end - begin for begin, end in pairwise(self.edges))


class PackedModel:
    """One encoder and the heads that share it, on one device."""

    def __init__(
        self,
        base: nn.Module,
        heads: Mapping[str, TorchHead],
        device: str,
        offset: int = 0,
        mode: Mode = "eager",
        longest: int = 512,
    ) -> None:
        self._base = compiled(base) if mode == "compile" else base
        self._heads = dict(heads)
        self._device = torch.device(device)
        self._offset = offset
        self._graphs = Graphs(base, self._device, longest) if mode == "graphs" else None
        self._copies = torch.cuda.Stream(self._device) if self._device.type == "cuda" else None

    @classmethod
    def load(
        cls,
        checkpoints: Mapping[str, Checkpoint],
        device: str,
        precision: Precision,
        mode: Mode = "eager",
        longest: int = 512,
    ) -> PackedModel:
        """Load checkpoints that have the same encoder.

        Args:
            checkpoints: By the name of the head.
            device: ``cpu`` or ``cuda``.
            precision: Of the weights and of the computation; probabilities are always computed in fp32.
            mode: How kernels are launched on a GPU; always ``eager`` on a CPU.
            longest: Tokens of the longest sequence.

        Raises:
            ModelError: One cannot be loaded, or the device does not exist.
        """
        check_device(device)
        mode = "eager" if device == "cpu" else mode
        base, heads, offset = None, {}, 0
        for name, checkpoint in checkpoints.items():
            own, heads[name] = load_model(checkpoint, DTYPES[precision], device)
            own.set_attn_implementation(attention.NAME)
            base, offset = base or own, checkpoint.offset
        if base is None:
            raise ModelError("a model without a checkpoint cannot be loaded")
        return cls(base, heads, device, offset, mode, longest)

    def prepare(self, sequences: Sequence[TokenSequence]) -> Packed:
        """Pack a batch and start its transfer to the device, while the previous one may still be computed.

        Raises:
            NoMemoryError: The device has no memory for it.
        """
        edges = tuple(accumulate((len(sequence.ids) for sequence in sequences), initial=0))
        ids = torch.tensor([[token for sequence in sequences for token in sequence.ids]], dtype=torch.int64)
        places = torch.cat([torch.arange(len(sequence.ids)) for sequence in sequences])[None] + self._offset
        ends = torch.tensor(edges, dtype=torch.int32)
        tokens_of = frozenset[str]().union(*(sequence.tokens_of for sequence in sequences))
        if self._copies is not None:
            with torch.cuda.stream(self._copies), no_memory():
                ids, places, ends = (
                    part.pin_memory().to(self._device, non_blocking=True) for part in (ids, places, ends)
                )
        return Packed(ids, places, ends, edges, tokens_of)

    def run(self, batch: Packed) -> list[Answer]:
        """Compute a batch; blocks until it is done.

        Raises:
            NoMemoryError: It does not fit into the device's memory. Its memory has been freed.
        """
        with torch.inference_mode(), no_memory():
            return self._answers(batch, self._hidden(batch))

    def _hidden(self, batch: Packed) -> Tensor:
        if self._copies is not None:
            current = torch.cuda.current_stream(self._device)
            current.wait_stream(self._copies)
            for part in (batch.ids, batch.places, batch.ends):
                part.record_stream(current)
        return self.forward(batch.ids, batch.places, batch.ends, batch.edges, batch.longest)

    def forward(self, ids: Tensor, places: Tensor, ends: Tensor, edges: tuple[int, ...], longest: int) -> Tensor:
        """The encoder's last layer, shape ``[tokens, hidden]``."""
        if self._graphs is not None and (played := self._graphs(ids, places, ends)) is not None:
            return played
        edges = () if self._copies is not None else edges  # changing numbers would trigger a compilation each time
        found: Any = self._base(input_ids=ids, position_ids=places, vsr_ends=ends, vsr_edges=edges, vsr_longest=longest)
        hidden: Tensor = found.last_hidden_state[0]
        return hidden

    def _answers(self, batch: Packed, hidden: Tensor) -> list[Answer]:
        spans = list(pairwise(batch.edges))
        answers: list[dict[str, Floats]] = [{} for _ in spans]
        for name, head in self._heads.items():
            if head.kind == "sequence":
                rows = head.of_sequences(hidden, batch.ends, spans).cpu().numpy()
                for answer, row in zip(answers, rows, strict=True):
                    answer[name] = row
            elif name in batch.tokens_of:
                table = head.of_tokens(hidden).cpu().numpy()
                for answer, (begin, end) in zip(answers, spans, strict=True):
                    answer[name] = table[begin:end]
        return list(answers)


@contextmanager
def no_memory() -> Iterator[None]:
    """Convert torch's out-of-memory error into ours, and free the batch's memory."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise NoMemoryError(str(error)) from None


def check_device(device: str) -> None:
    """Check that a device exists.

    Raises:
        ModelError: It does not.
    """
    if device != "cpu" and not torch.cuda.is_available():
        raise ModelError(f"the device {device} is not there: torch {torch.__version__} finds no CUDA device")
