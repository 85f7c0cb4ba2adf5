"""The known releases of each project."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from types import MappingProxyType

from vsr_compiler.releases.gateways import AI_GATEWAY, ENVOY_GATEWAY, GATEWAY_API, INFERENCE_EXTENSION, ISTIO
from vsr_compiler.releases.model_servers import SIMULATOR, VLLM
from vsr_compiler.releases.pickers import PICKERS, picker_project
from vsr_compiler.releases.semantic_router import STOCK_ROUTER

RELEASES: Mapping[str, Collection[str]] = MappingProxyType(
    {
        "envoy-ai-gateway": AI_GATEWAY,
        "envoy-gateway": ENVOY_GATEWAY,
        "gateway-api": GATEWAY_API,
        "inference-extension": INFERENCE_EXTENSION,
        "istio": ISTIO,
        "llm-d-inference-sim": SIMULATOR,
        "llm-d-router": PICKERS["llm-d-router"],
        "semantic-router": STOCK_ROUTER,
        "vllm": VLLM,
    }
)
"""Known releases by project. A stack adds the projects that only it looks up by `Target.tables`."""


def looked_up(projects: Iterable[str], versions: Mapping[str, str]) -> Iterator[str]:
    """Yield projects, each once, and the project whose pickers are used in the place of another's."""
    for project in dict.fromkeys(projects):
        yield project
        if project in PICKERS and versions[project] in RELEASES[project]:
            other = picker_project(project, versions)
            if other not in projects:
                yield other


def by_number(release: str) -> tuple[int, ...]:
    """Sort key: releases by their numbers, so that 1.10.0 comes after 1.9.0."""
    return tuple(int(part) for part in release.split(".") if part.isdigit())
