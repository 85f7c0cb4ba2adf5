"""The kinds of Envoy Gateway."""

from __future__ import annotations

from vsr_compiler.manifests.kinds import (
    AlwaysHealthy,
    HealthyByAncestors,
    HealthyUnlessRejected,
    Kind,
    Wave,
    kinds_of,
)

ENVOY_GROUP = "gateway.envoyproxy.io"
_ACCEPTED = HealthyByAncestors(("Accepted",))

KINDS: tuple[Kind, ...] = (
    *kinds_of(ENVOY_GROUP, "Backend", Wave.REFERENCED, HealthyUnlessRejected()),
    *kinds_of(ENVOY_GROUP, "EnvoyProxy", Wave.REFERENCED, AlwaysHealthy()),
    *kinds_of(ENVOY_GROUP, "ClientTrafficPolicy EnvoyExtensionPolicy", Wave.FILTER, _ACCEPTED),
    *kinds_of(ENVOY_GROUP, "EnvoyPatchPolicy", Wave.FILTER, HealthyByAncestors(("Accepted", "Programmed"))),
    *kinds_of(ENVOY_GROUP, "BackendTrafficPolicy SecurityPolicy", Wave.ROUTE, _ACCEPTED),
)
