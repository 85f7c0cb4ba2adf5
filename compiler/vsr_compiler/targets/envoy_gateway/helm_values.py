"""Values for Envoy Gateway's chart: what our objects need of it, and nothing that the chart sets anyway."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.gateway import ENVOY_GATEWAY
from vsr_compiler.targets.common.helm import Values

CHART = "gateway-helm"
NAMES_BY_PORT = "XDSNameSchemeV2"


def chart(policy: ir.Policy) -> Values:
    """For Envoy Gateway by itself."""
    return Values(CHART, {"config": {"envoyGateway": chart_settings(policy)}}, policy.gateway.span)


def chart_settings(policy: ir.Policy) -> Body:
    """Both kinds are off by default; the scheme of names is the one that patches find listeners by."""
    by_port = ENVOY_GATEWAY[policy.versions["envoy-gateway"]].names_by_port
    settings: Body = {"extensionApis": {"enableBackend": True, "enableEnvoyPatchPolicy": True}}
    return settings | ({"runtimeFlags": {"enabled": [NAMES_BY_PORT]}} if by_port else {})
