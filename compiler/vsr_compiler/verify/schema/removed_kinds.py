"""Kinds that projects removed before the oldest release whose definitions are at hand.

A kind that only later releases lack is found by their definitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Removed:
    """A kind that no longer exists.

    Attributes:
        project: The project, as the end of its name.
        release: The first release without the kind.
        instead: What replaces it.
    """

    project: str
    release: tuple[int, int]
    instead: str


_MOVED = "EnvoyProxy of gateway.envoyproxy.io"
_INFERENCE, _GATEWAY, _ENVOY = "inference-extension", "gateway-api", "envoy-gateway"
REMOVED: Mapping[tuple[str, str], Removed] = MappingProxyType(
    {
        ("inference.networking.x-k8s.io", "InferenceModel"): Removed(_INFERENCE, (1, 0), "InferenceObjective"),
        ("gateway.networking.k8s.io", "ReferencePolicy"): Removed(_GATEWAY, (0, 6), "ReferenceGrant"),
        ("gateway.envoyproxy.io", "AuthenticationFilter"): Removed(_ENVOY, (0, 6), "SecurityPolicy"),
        ("config.gateway.envoyproxy.io", "EnvoyProxy"): Removed(_ENVOY, (0, 6), _MOVED),
        ("gateway.envoyproxy.io", "RateLimitFilter"): Removed(_ENVOY, (0, 6), "BackendTrafficPolicy"),
    }
)
"""The kinds by API group. Sources, read in December 2026: `config/crd/bases` of the inference extension 1.0.1, without
InferenceModel; `CHANGELOG/0.x-CHANGELOG.md` of the Gateway API (0.6.0); `release-notes/v0.6.0.yaml` of Envoy
Gateway.
"""


def removed_in(group: str, kind: str, releases: Mapping[str, str]) -> tuple[str, str]:
    """Return the required release that does not have a kind, and what replaces it; empty if the kind may exist."""
    removed = REMOVED.get((group, kind))
    for project, release in releases.items() if removed else ():
        numbers = tuple(int(part) if part.isdigit() else 0 for part in release.lstrip("v").split(".")[:2])
        if removed and project == removed.project:
            return (f"{project} {release}", removed.instead) if numbers >= removed.release else ("", "")
    return "", ""
