"""Releases whose CustomResourceDefinitions are not at hand, with the earlier release whose definitions are used."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DEFINITIONS: Mapping[tuple[str, str], str] = MappingProxyType(
    {("envoy-ai-gateway", "1.2.0"): "1.1.0", ("envoy-gateway", "1.9.2"): "1.9.0"}
)
"""By project and release. Not confirmed: that a later release defines its kinds in the same way."""
