"""Releases of the production stack's chart.

Sources: the chart `vllm-stack` and the images of its router, which have the chart's release as tag since 0.1.10.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Stack:
    """A release of the chart, with the image of its router."""

    router: str


PRODUCTION_STACK: Mapping[str, Stack] = MappingProxyType(
    {release: Stack(f"lmcache/lmstack-router:v{release}") for release in ("0.1.11", "0.1.12")}
)

PROFILES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "seed": {"production-stack": "0.1.11"},
        "2026-08": {"production-stack": "0.1.12"},
        "current": {"production-stack": "0.1.12"},
    }
)
"""The release of the chart in each profile."""
