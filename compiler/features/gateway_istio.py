"""The Gateway that Istio turns into an Envoy deployment."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.features.gateway_pods import GatewayPods
from compiler.features.objects import Object, make
from compiler.link import ir

GATEWAY_API = "gateway.networking.k8s.io/v1"
GATEWAY_NAME = "gateway.networking.k8s.io/gateway-name"
"""The label that Istio puts on the pods of a Gateway."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """The Gateway. Routes stand in its own namespace, so it admits no others."""
    gateway = policy.gateway
    yield make(
        GATEWAY_API,
        "Gateway",
        gateway.name,
        gateway.span,
        namespace=gateway.namespace,
        spec={
            "gatewayClassName": "istio",
            "listeners": [
                {
                    "name": gateway.listener.name,
                    "port": gateway.listener.port,
                    "protocol": gateway.listener.protocol,
                    "allowedRoutes": {"namespaces": {"from": "Same"}},
                }
            ],
        },
    )


def pods(policy: ir.Policy) -> GatewayPods:
    """Istio's proxies stand where the Gateway does, and name the port of their metrics so."""
    gateway = policy.gateway
    return GatewayPods(gateway.namespace, {GATEWAY_NAME: gateway.name}, "http-envoy-prom")
