"""Values for Envoy Gateway's chart, so that Envoy AI Gateway extends it."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.common.pools import POOL_GROUP, asked_for
from vsr_compiler.targets.envoy_gateway.helm_values import CHART, chart_settings

AI_CONTROLLER = "ai-gateway-controller.envoy-ai-gateway-system.svc.cluster.local"
AI_PORT = 1063


def chart(policy: ir.Policy) -> Values:
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
        manager["backendResources"] = [{"group": POOL_GROUP, "kind": "InferencePool", "version": "v1"}]
    settings = chart_settings(policy) | {"extensionManager": manager}
    return Values(CHART, {"config": {"envoyGateway": settings}}, policy.gateway.span)
