"""Values for Envoy Gateway's chart, so that Envoy AI Gateway extends it."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.common.pools import POOL_GROUP, declared
from vsr_compiler.targets.envoy_gateway.helm_values import CHART, chart_settings

AI_CONTROLLER = "ai-gateway-controller.envoy-ai-gateway-system.svc.cluster.local"
AI_PORT = 1063


def chart(policy: ir.Policy) -> Values:
    """Return the values for Envoy Gateway with AI Gateway as extension, for pools as well if there are any."""
    include_all = {"includeAll": True}
    manager: Body = {
        "hooks": {
            "xdsTranslator": {
                "post": ["Translation", "Cluster", "Route"],
                "translation": {
                    "cluster": include_all,
                    "listener": include_all,
                    "route": include_all,
                    "secret": include_all,
                },
            }
        },
        "service": {"fqdn": {"hostname": AI_CONTROLLER, "port": AI_PORT}},
    }
    if declared(policy):
        manager["backendResources"] = [{"group": POOL_GROUP, "kind": "InferencePool", "version": "v1"}]
    settings = chart_settings(policy) | {"extensionManager": manager}
    return Values(CHART, {"config": {"envoyGateway": settings}}, policy.gateway.span)
