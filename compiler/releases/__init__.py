"""What differs by release, as data: tables keyed by release, looked up once."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PROFILES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "seed": MappingProxyType(
            {
                "gateway-api": "1.2.0",
                "istio": "1.29.0",
                "semantic-router": "0.4.0",
                "vllm": "0.17.0",
            }
        ),
        "current": MappingProxyType(
            {
                "gateway-api": "1.5.1",
                "istio": "1.30.3",
                "semantic-router": "0.4.0",
                "vllm": "0.17.0",
            }
        ),
    }
)
"""Releases that go together, by the name that `gateway.versions` takes."""

VLLM_IMAGES: Mapping[str, str] = MappingProxyType({"0.17.0": "vllm/vllm-openai:v0.17.0"})
"""The model server's image by release."""
