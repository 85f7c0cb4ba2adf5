"""The kinds of agentgateway, and what differs by its release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from vsr_compiler.manifests.kinds import HealthyUnlessRejected, HealthyWhenAttached, Kind, Wave, kinds_of

GROUP = "agentgateway.dev"
API = f"{GROUP}/v1alpha1"
CLASS = "agentgateway"
"""The GatewayClass that the control plane creates."""
POLICY, BACKEND = "AgentgatewayPolicy", "AgentgatewayBackend"
PARTLY = "PartiallyValid"
"""The reason of a condition `Accepted` that is true although parts of a policy are not in force."""

KINDS: tuple[Kind, ...] = (
    *kinds_of(GROUP, BACKEND, Wave.REFERENCED, HealthyUnlessRejected()),
    *kinds_of(GROUP, POLICY, Wave.FILTER, HealthyWhenAttached("Accepted", "Attached", PARTLY)),
)


@dataclass(frozen=True, slots=True)
class Release:
    """A release of agentgateway.

    Attributes:
        source: Where its project states what this target relies on, at the tag of the release.
        authorities_need: Releases of the Gateway API without `spec.tls.frontend` of a Gateway.
    """

    source: str
    authorities_need: frozenset[str] = frozenset({"1.2.0"})


RELEASES: Mapping[str, Release] = MappingProxyType(
    {"1.4.1": Release("agentgateway/agentgateway v1.4.1: crates/agentgateway/src/http/ext_proc.rs, proxy/httpproxy.rs")}
)
