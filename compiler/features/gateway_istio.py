"""The Gateway that Istio turns into an Envoy deployment."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.features.objects import Object, make
from compiler.link import ir

GATEWAY_API = "gateway.networking.k8s.io/v1"
LISTENER = "http"


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
                    "name": LISTENER,
                    "port": 80,
                    "protocol": "HTTP",
                    "allowedRoutes": {"namespaces": {"from": "Same"}},
                }
            ],
        },
    )
