"""The kinds of Istio."""

from __future__ import annotations

from vsr_compiler.manifests.kinds import AlwaysHealthy, Kind, Wave, kinds_of

NETWORKING_GROUP = "networking.istio.io"
SECURITY_GROUP = "security.istio.io"

KINDS: tuple[Kind, ...] = (
    *kinds_of(NETWORKING_GROUP, "DestinationRule ServiceEntry", Wave.REFERENCED, AlwaysHealthy()),
    *kinds_of(NETWORKING_GROUP, "EnvoyFilter", Wave.FILTER, AlwaysHealthy()),
    *kinds_of(SECURITY_GROUP, "AuthorizationPolicy RequestAuthentication", Wave.FILTER, AlwaysHealthy()),
)
