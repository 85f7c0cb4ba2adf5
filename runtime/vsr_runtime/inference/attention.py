"""Attention over packed sequences (one after another, without padding), as an attention function of transformers.

On CUDA it is torch's varlen attention (FlashAttention, with sliding windows). Elsewhere it is a loop of scaled dot
products, one sequence at a time, which also serves as the reference for tests.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import Any

from vsr_runtime.inference.errors import gpu_extra

with gpu_extra():
    import torch
    from torch import Tensor
    from torch.nn.functional import scaled_dot_product_attention
    from transformers import AttentionInterface

NAME = "vsr_packed"


def packed_attention(  # noqa: PLR0913, PLR0917 - transformers' signature
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None = None,  # noqa: ARG001 - there is no padding to mask
    scaling: float | None = None,
    sliding_window: int | None = None,
    vsr_ends: Tensor | None = None,
    vsr_edges: tuple[int, ...] = (),
    vsr_longest: int = 0,
    **_: Any,  # noqa: ANN401 - whatever else a model passes on
) -> tuple[Tensor, None]:
    """Attend within each sequence.

    Args:
        module: The layer.
        query: Shape ``[1, heads, tokens, size]``, as are ``key`` and ``value``.
        key: As above.
        value: As above.
        attention_mask: None.
        scaling: Factor for the scores; None for one over the root of ``size``.
        sliding_window: A token attends to tokens less than this far away; None for the whole sequence.
        vsr_ends: On CUDA: the starts of the sequences, and the end of the last; int32, shape ``[sequences + 1]``.
        vsr_edges: The same on a CPU.
        vsr_longest: Tokens of the longest sequence.

    Returns:
        Shape ``[1, tokens, heads, size]``.
    """
    window = sliding_window if sliding_window is not None else getattr(module, "sliding_window", None)
    if query.is_cuda and vsr_ends is not None:
        return _varlen(query, key, value, vsr_ends, vsr_longest, scaling, window), None
    out = torch.empty_like(query)
    for begin, end in pairwise(vsr_edges):
        mask = _band(end - begin, window) if window is not None and end - begin > window else None
        out[:, :, begin:end] = scaled_dot_product_attention(
            query[:, :, begin:end], key[:, :, begin:end], value[:, :, begin:end], attn_mask=mask, scale=scaling
        )
    return out.transpose(1, 2), None


def _varlen(
    query: Tensor, key: Tensor, value: Tensor, ends: Tensor, longest: int, scaling: float | None, window: int | None
) -> Tensor:
    from torch.nn.attention.varlen import varlen_attn  # noqa: PLC0415 - of torch 2.10 and later

    side = -1 if window is None else window - 1
    found = varlen_attn(
        query[0].transpose(0, 1),
        key[0].transpose(0, 1),
        value[0].transpose(0, 1),
        ends,
        ends,
        longest,
        longest,
        scale=scaling,
        window_size=(side, side),
    )
    assert isinstance(found, Tensor)  # noqa: S101 - a tuple only where auxiliary output is asked for
    return found.unsqueeze(0)


@lru_cache(maxsize=256)
def _band(length: int, window: int) -> Tensor:
    """Attention mask for tokens less than ``window`` apart."""
    place = torch.arange(length)
    return (place[:, None] - place[None]).abs() < window


AttentionInterface.register(NAME, packed_attention)
