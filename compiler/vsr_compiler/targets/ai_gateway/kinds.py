"""The kinds of Envoy AI Gateway."""

from __future__ import annotations

from vsr_compiler.manifests.kinds import HealthyByConditions, HealthyUnlessRejected, Kind, Wave, kinds_of

AI_GROUP = "aigateway.envoyproxy.io"

KINDS: tuple[Kind, ...] = (
    *kinds_of(AI_GROUP, "AIServiceBackend BackendSecurityPolicy", Wave.REFERENCED, HealthyUnlessRejected()),
    *kinds_of(AI_GROUP, "AIGatewayRoute", Wave.ROUTE, HealthyByConditions(("Accepted",))),
)
