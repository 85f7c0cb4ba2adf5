"""Values for the charts of Envoy Gateway, so that Envoy AI Gateway extends it, and of Envoy AI Gateway."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.ai_gateway_schemas import TRANSLATIONS
from vsr_compiler.releases.gateways import AI_GATEWAY
from vsr_compiler.targets.common.helm import ChartSource, Values
from vsr_compiler.targets.common.pools import POOL_GROUP, declared
from vsr_compiler.targets.envoy_gateway.helm_values import CHART, SOURCE, chart_settings

AI_CONTROLLER = "ai-gateway-controller.envoy-ai-gateway-system.svc.cluster.local"
AI_PORT = 1063
AI_CHART = "ai-gateway-helm"
_AI_SYSTEM = "envoy-ai-gateway-system"
_REGISTRY = "oci://docker.io/envoyproxy"
SOURCES = (
    ChartSource("ai-gateway-crds-helm", _REGISTRY, "aieg-crd", "envoy-ai-gateway", _AI_SYSTEM, "v"),
    SOURCE,
    ChartSource(AI_CHART, _REGISTRY, "aieg", "envoy-ai-gateway", _AI_SYSTEM, "v"),
)
"""Source: Envoy AI Gateway 1.1.0, `site/docs/getting-started/installation.md`."""


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
    release = policy.versions["envoy-ai-gateway"]
    values = dict(AI_GATEWAY[release].chart_values)
    endpoints = values.get("endpointConfig")
    if TRANSLATIONS[release].prefixes and any(_speaks_cohere(endpoint) for endpoint in policy.endpoints):
        # By default it serves Cohere's API below `/cohere`.
        values["endpointConfig"] = (endpoints if isinstance(endpoints, dict) else {}) | {"cohere": ""}
    return Values(AI_CHART, values, policy.gateway.span) if values else None


def _speaks_cohere(endpoint: ir.Endpoint) -> bool:
    return endpoint.provider is not None and endpoint.provider.api.schema == "cohere"
