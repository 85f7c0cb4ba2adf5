"""The known releases of each project."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import MappingProxyType

from vsr_compiler.releases.gateways import AI_GATEWAY, ENVOY_GATEWAY, GATEWAY_API, INFERENCE_EXTENSION, ISTIO
from vsr_compiler.releases.model_servers import SIMULATOR, VLLM
from vsr_compiler.releases.pickers import PICKERS

RELEASES: Mapping[str, Collection[str]] = MappingProxyType(
    {
        "envoy-ai-gateway": AI_GATEWAY.keys(),
        "envoy-gateway": ENVOY_GATEWAY.keys(),
        "gateway-api": GATEWAY_API.keys(),
        "inference-extension": INFERENCE_EXTENSION.keys() & PICKERS["inference-extension"].keys(),
        "istio": ISTIO.keys(),
        "llm-d-inference-sim": SIMULATOR.keys(),
        "llm-d-router": PICKERS["llm-d-router"].keys(),
        "vllm": VLLM.keys(),
    }
)
"""Known releases by project. A stack adds the projects that only it looks up by `Target.tables`."""


def by_number(release: str) -> tuple[int, ...]:
    """Sort key: releases by their numbers, so that 1.10.0 comes after 1.9.0."""
    return tuple(int(part) for part in release.split(".") if part.isdigit())
