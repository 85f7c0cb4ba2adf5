"""What differs by release, as tables by release. Emitters look releases up and never compare versions."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

PROFILES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "seed": MappingProxyType(
            {
                "envoy-ai-gateway": "0.4.0",
                "envoy-gateway": "1.6.7",
                "gateway-api": "1.2.0",
                "inference-extension": "1.1.0",
                "istio": "1.29.0",
                "llm-d-inference-sim": "0.10.2",
                "llm-d-router": "0.3.2",
                "semantic-router": "0.4.0",
                "vllm": "0.17.0",
            }
        ),
        "2026-08": MappingProxyType(
            {
                "envoy-ai-gateway": "1.1.0",
                "envoy-gateway": "1.8.3",
                "gateway-api": "1.5.1",
                "inference-extension": "1.5.0",
                "istio": "1.30.3",
                "llm-d-inference-sim": "0.10.2",
                "llm-d-router": "0.10.0",
                "semantic-router": "0.4.0",
                "vllm": "0.17.0",
            }
        ),
        "current": MappingProxyType(
            {
                "envoy-ai-gateway": "1.2.0",
                "envoy-gateway": "1.9.2",
                "gateway-api": "1.6.3",
                "inference-extension": "1.6.0",
                "istio": "1.32.0",
                "llm-d-inference-sim": "0.10.2",
                "llm-d-router": "0.10.0",
                "semantic-router": "0.4.0",
                "vllm": "0.17.0",
            }
        ),
    }
)
"""Profiles: releases that fit together, by the name that `gateway.versions` takes. A stack adds the releases of its own
projects by `Target.profiles`. Before it was renamed, `llm-d-router` was llm-d's scheduler."""
