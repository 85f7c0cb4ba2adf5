"""How the release of a project shows in manifests: by images, charts, and annotations of definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsr_compiler.releases.data import PROJECTS, project


@dataclass(frozen=True, slots=True)
class Component:
    """A project whose release matters to others.

    Attributes:
        image: Regular expression for its image, without registry and tag; empty if it has none.
        charts: Its Helm charts whose version is its release.
        annotation: The annotation of its CustomResourceDefinitions with its release.
        groups: The API groups of its objects.
    """

    image: str = ""
    charts: frozenset[str] = frozenset()
    annotation: str = ""
    groups: frozenset[str] = frozenset()


COMPONENTS: Mapping[str, Component] = MappingProxyType(
    {
        "gateway-api": Component(
            annotation="gateway.networking.k8s.io/bundle-version",
            groups=frozenset({"gateway.networking.k8s.io", "gateway.networking.x-k8s.io"}),
        ),
        "inference-extension": Component(
            annotation="inference.networking.k8s.io/bundle-version",
            groups=frozenset({"inference.networking.k8s.io", "inference.networking.x-k8s.io"}),
        ),
        "istio": Component(
            image=r"(^|/)pilot$",
            charts=frozenset({"istiod"}),
            groups=frozenset({"networking.istio.io", "security.istio.io", "telemetry.istio.io"}),
        ),
        "envoy-gateway": Component(
            image=r"(^|/)envoyproxy/gateway$",
            charts=frozenset({"gateway-helm"}),
            groups=frozenset({"gateway.envoyproxy.io"}),
        ),
        "envoy-ai-gateway": Component(
            image=r"(^|/)envoyproxy/ai-gateway-controller$",
            charts=frozenset({"ai-gateway-helm"}),
            groups=frozenset({"aigateway.envoyproxy.io"}),
        ),
        "llm-d-router": Component(
            image=r"(^|/)llm-d-(router-endpoint-picker|inference-scheduler|router-disagg-sidecar|routing-sidecar)$",
            charts=frozenset({"llm-d-router-gateway", "llm-d-router-standalone"}),
            groups=frozenset({"llm-d.ai"}),
        ),
        "vllm": Component(image=r"(^|/)vllm/vllm-(openai|cpu)[a-z0-9-]*$"),
        "kubernetes": Component(),
    }
)
"""By the name under which `gateway.versions` and `--release` take the release."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {"agent-router": "envoy-ai-gateway", "ai-gateway": "envoy-ai-gateway", "gie": "inference-extension"}
)
"""Other names of components."""


def title_of(name: str) -> str:
    """Return the name of a component for people."""
    return project(name).title if name in PROJECTS else name.title()
