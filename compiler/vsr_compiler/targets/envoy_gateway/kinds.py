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
_REPLACED = ("Overridden", "Conflicted")
"""Conditions that are true if another policy applies in the place of this one, on a listener or route at least."""
_ACCEPTED = HealthyByAncestors(("Accepted",), _REPLACED)

KINDS: tuple[Kind, ...] = (
    *kinds_of(ENVOY_GROUP, "Backend", Wave.REFERENCED, HealthyUnlessRejected()),
    *kinds_of(ENVOY_GROUP, "EnvoyProxy HTTPRouteFilter", Wave.REFERENCED, AlwaysHealthy()),
    *kinds_of(ENVOY_GROUP, "BackendTrafficPolicy ClientTrafficPolicy SecurityPolicy", Wave.FILTER, _ACCEPTED),
    *kinds_of(ENVOY_GROUP, "EnvoyPatchPolicy", Wave.PATCH, HealthyByAncestors(("Accepted", "Programmed"), _REPLACED)),
)
