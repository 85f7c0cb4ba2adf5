"""Two ways to spend less time on launching GPU kernels: compiled code, and graphs recorded once for small batches.

Neither is the default: ``VSR_ENGINE_MODE`` enables them, and ``benchmarks/inference.py`` shows their effect.
"""

from __future__ import annotations

from typing import Any, Literal

from vsr_runtime.inference.errors import gpu_extra

with gpu_extra():
    import torch
    from torch import Tensor

Mode = Literal["eager", "compile", "graphs"]
BUCKETS = (256, 512, 1024, 2048, 4096)
"""Batch sizes, in tokens, that graphs are recorded for. With larger batches, launching kernels takes no extra time."""
SEQUENCES = 256
"""Sequences of such a batch."""


def compiled(base: Any) -> Any:  # noqa: ANN401 - torch is untyped here
    """Compile the encoder for any batch size."""
    return torch.compile(base, dynamic=True)


class Graphs:
    """Records an encoder's forward pass for each batch size, on first use, and replays it from then on.

    A batch is filled up with tokens that belong to no sequence, and the list of ends with its last entry, which makes
    sequences without tokens.

    Args:
        base: the encoder, on a CUDA device.
        device: its device.
        longest: tokens of the longest sequence.
    """

    def __init__(self, base: Any, device: Any, longest: int) -> None:  # noqa: ANN401 - as above
        self._base = base
        self._device = device
        self._longest = longest
        self._recorded: dict[int, _Graph] = {}

    def __call__(self, ids: Tensor, places: Tensor, ends: Tensor) -> Tensor | None:
        """The last layer, shape ``[tokens, hidden]``; None for a batch that is too large."""
        tokens, sequences = ids.shape[1], ends.shape[0] - 1
        bucket = next((size for size in BUCKETS if size >= tokens), None)
        if bucket is None or sequences > SEQUENCES:
            return None
        if bucket not in self._recorded:
            self._recorded[bucket] = _Graph(self._base, self._device, bucket, min(bucket, self._longest))
        return self._recorded[bucket](ids, places, ends)


class _Graph:
    """The graph of one batch size."""

    def __init__(self, base: Any, device: Any, tokens: int, longest: int) -> None:  # noqa: ANN401 - as above
        self._ids = torch.zeros((1, tokens), dtype=torch.int64, device=device)
        self._places = torch.zeros((1, tokens), dtype=torch.int64, device=device)
        self._ends = torch.zeros(SEQUENCES + 1, dtype=torch.int32, device=device)
        self._ends[1:] = min(tokens, longest)

        def forward() -> Tensor:
            return base(
                input_ids=self._ids, position_ids=self._places, vsr_ends=self._ends, vsr_longest=longest
            ).last_hidden_state[0]

        side = torch.cuda.Stream(device)
        side.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(side):
            for _ in range(3):  # lazy initialisation must not be recorded
                forward()
        torch.cuda.current_stream(device).wait_stream(side)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._out = forward()

    def __call__(self, ids: Tensor, places: Tensor, ends: Tensor) -> Tensor:
        tokens, count = ids.shape[1], ends.shape[0]
        self._ids[:, :tokens].copy_(ids)
        self._places[:, :tokens].copy_(places)
        self._ends[:count].copy_(ends)
        self._ends[count:].fill_(tokens)
        self._graph.replay()
        return self._out[:tokens].clone()
