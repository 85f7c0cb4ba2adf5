"""Releases of model servers: images, arguments and names of metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.releases.data import Table, build


@dataclass(frozen=True, slots=True)
class Vllm:
    """A release of vLLM.

    Attributes:
        kv_metric: The gauge of KV cache usage.
        waiting_metric: The gauge of waiting requests.
        arguments: The table of its arguments; see `vllm_arguments`.
        positional: Whether the model is the first argument of its server, and not the value of `--model`.
        images: Its image by the hardware, for which `releases.hardware` has the words.
    """

    kv_metric: str
    waiting_metric: str
    arguments: str
    positional: bool = False
    images: Mapping[str, str] = field(default_factory=dict)

    @property
    def image(self) -> str:
        """The image for GPUs of NVIDIA."""
        return self.images["nvidia"]


def _vllm(section: Mapping[str, Any], release: str) -> Vllm:
    images = {key: image.replace("{release}", release) for key, image in section["images"].items()}
    return build(Vllm, {**section, "images": images})


VLLM: Mapping[str, Vllm] = Table("vllm", _vllm)
SIMULATOR: Mapping[str, str] = Table("llm-d-inference-sim", lambda section, release: f"{section['image']}:v{release}")
"""The image of llm-d's simulator of vLLM."""
