"""Values for the charts of Envoy Gateway, so that Envoy AI Gateway extends it, and of Envoy AI Gateway."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.gateways import AI_GATEWAY
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.common.pools import POOL_GROUP, declared
from vsr_compiler.targets.envoy_gateway.helm_values import CHART, chart_settings

AI_CONTROLLER = "ai-gateway-controller.envoy-ai-gateway-system.svc.cluster.local"
AI_PORT = 1063
AI_CHART = "ai-gateway-helm"


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


def ai_chart(policy: ir.Policy) -> Values | None:
    """Return the values for Envoy AI Gateway; None if its defaults serve every API that it has."""
    values = AI_GATEWAY[policy.versions["envoy-ai-gateway"]].chart_values
    return Values(AI_CHART, dict(values), policy.gateway.span) if values else None
