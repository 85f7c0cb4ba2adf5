"""The Gateway that Istio turns into an Envoy deployment."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Object, make
from vsr_compiler.targets.common.gateway_api import GATEWAY_API, GatewayPods

GATEWAY_NAME = f"{GATEWAY_GROUP}/gateway-name"
"""The label that Istio puts on the pods of a Gateway."""
CLASS = "istio"
_SERVICE = re.compile(r"[a-z][-a-z0-9]{0,62}")
"""What the API server takes for a Service's name."""


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
            "gatewayClassName": CLASS,
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


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 where Istio could not make the Gateway's Service, which it calls after the Gateway and its class."""
    name = policy.gateway.name
    if not _SERVICE.fullmatch(f"{name}-{CLASS}"):
        most = 63 - len(f"-{CLASS}")
        message = f"Istio calls the Gateway's Service `{name}-{CLASS}`, which is no name for a Service"
        hint = f"Give the Gateway a name that begins with a letter, of at most {most} characters."
        yield Diagnostic("VSR312", message, policy.gateway.span, hint)
