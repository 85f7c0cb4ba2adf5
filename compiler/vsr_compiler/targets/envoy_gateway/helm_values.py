"""Values for Envoy Gateway's chart: the settings that our objects need and that differ from the defaults."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.gateways import ENVOY_GATEWAY
from vsr_compiler.targets.common.helm import ChartSource, Values
from vsr_compiler.targets.envoy_gateway.rate_limits import counted

CHART = "gateway-helm"
SYSTEM = "envoy-gateway-system"
SOURCE = ChartSource(CHART, "oci://docker.io/envoyproxy", "eg", "envoy-gateway", SYSTEM, "v")
"""Source: Envoy Gateway 1.8.3, `site/content/en/latest/install/install-helm.md`."""
NAMES_BY_PORT = "XDSNameSchemeV2"


def chart(policy: ir.Policy) -> Values:
    """Return the values for Envoy Gateway without AI Gateway."""
    return Values(CHART, {"config": {"envoyGateway": chart_settings(policy)}}, policy.gateway.span)


def chart_settings(policy: ir.Policy) -> Body:
    """Return the settings: both kinds are disabled by default, and patches rely on the naming scheme of listeners.

    Limits that the gateway counts need Redis.
    """
    by_port = ENVOY_GATEWAY[policy.versions["envoy-gateway"]].names_by_port
    settings: Body = {"extensionApis": {"enableBackend": True, "enableEnvoyPatchPolicy": True}}
    if counted(policy):
        # Without an answer of the rate limit service a limit would not hold.
        redis = {"backend": {"type": "Redis", "redis": {"url": policy.gateway.redis}}, "failClosed": True}
        settings["rateLimit"] = redis
    return settings | ({"runtimeFlags": {"enabled": [NAMES_BY_PORT]}} if by_port else {})
