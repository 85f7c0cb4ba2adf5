"""The Gateway, for which Istio deploys Envoy."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Object, make
from vsr_compiler.targets.common.gateway_api import GATEWAY_API, GatewayPods

GATEWAY_NAME = f"{GATEWAY_GROUP}/gateway-name"
"""The label of a Gateway's pods."""
CLASS = "istio"
_SERVICE = re.compile(r"[a-z][-a-z0-9]{0,62}")
"""Valid names of Services."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the Gateway. Its routes are in its own namespace, so it admits no others."""
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
    """Return the proxies, which are in the Gateway's namespace."""
    gateway = policy.gateway
    return GatewayPods(gateway.namespace, {GATEWAY_NAME: gateway.name}, "http-envoy-prom")


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 if the name of the Gateway's Service, which Istio builds from Gateway and class, would be invalid."""
    name = policy.gateway.name
    if not _SERVICE.fullmatch(f"{name}-{CLASS}"):
        longest = 63 - len(f"-{CLASS}")
        message = f"Istio would name the Gateway's Service `{name}-{CLASS}`, which is not a valid name of a Service"
        hint = f"Give the Gateway a name that starts with a letter and has at most {longest} characters."
        yield Diagnostic("VSR312", message, policy.gateway.span, hint)
