"""Releases of model servers: images and names of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Vllm:
    """A release of vLLM. ``kv_metric`` is the gauge of KV cache usage."""

    image: str
    kv_metric: str


VLLM: Mapping[str, Vllm] = MappingProxyType(
    {"0.17.0": Vllm("vllm/vllm-openai:v0.17.0", "vllm:kv_cache_usage_perc")},
)

SIMULATOR: Mapping[str, str] = MappingProxyType({"0.10.2": "ghcr.io/llm-d/llm-d-inference-sim:v0.10.2"})
"""The image of llm-d's simulator of vLLM. Its metrics have the names of vLLM 0.17.0."""
