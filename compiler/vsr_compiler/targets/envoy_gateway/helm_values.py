"""Values for Envoy Gateway's chart: what our objects need of it, and nothing that the chart sets anyway."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.gateway import ENVOY_GATEWAY
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.common.pools import GROUP, asked_for

CHART = "gateway-helm"
AI_CONTROLLER = "ai-gateway-controller.envoy-ai-gateway-system.svc.cluster.local"
AI_PORT = 1063
NAMES_BY_PORT = "XDSNameSchemeV2"


def plain(policy: ir.Policy) -> Values:
    """For Envoy Gateway by itself."""
    return Values(CHART, {"config": {"envoyGateway": _settings(policy)}}, policy.gateway.span)


def with_ai_gateway(policy: ir.Policy) -> Values:
    """For Envoy Gateway that AI Gateway extends, to pools as well where there are any."""
    everything = {"includeAll": True}
    manager: Body = {
        "hooks": {
            "xdsTranslator": {
                "post": ["Translation", "Cluster", "Route"],
                "translation": {
                    "cluster": everything,
                    "listener": everything,
                    "route": everything,
                    "secret": everything,
                },
            }
        },
        "service": {"fqdn": {"hostname": AI_CONTROLLER, "port": AI_PORT}},
    }
    if asked_for(policy):
        manager["backendResources"] = [{"group": GROUP, "kind": "InferencePool", "version": "v1"}]
    settings = _settings(policy) | {"extensionManager": manager}
    return Values(CHART, {"config": {"envoyGateway": settings}}, policy.gateway.span)


def _settings(policy: ir.Policy) -> Body:
    """Both kinds are off by default; the scheme of names is the one that patches find listeners by."""
    by_port = ENVOY_GATEWAY[policy.versions["envoy-gateway"]].names_by_port
    settings: Body = {"extensionApis": {"enableBackend": True, "enableEnvoyPatchPolicy": True}}
    return settings | ({"runtimeFlags": {"enabled": [NAMES_BY_PORT]}} if by_port else {})
