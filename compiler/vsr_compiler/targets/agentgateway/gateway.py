"""The Gateway, for which agentgateway's control plane deploys its proxy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.agentgateway.kinds import API, CLASS, POLICY, RELEASES
from vsr_compiler.targets.common import listeners
from vsr_compiler.targets.common.gateway_api import GATEWAY_API, GatewayPods
from vsr_schemas.runtime import FRAME_BYTES

GATEWAY_NAME = f"{GATEWAY_GROUP}/gateway-name"
"""The label of the pods of a Gateway's proxy."""
DOWN = 500
"""The status of requests while no router answers."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the Gateway, and the policy of its connections. The policy's routes are in its namespace."""
    gateway = policy.gateway
    spec: Body = {"gatewayClassName": CLASS, "listeners": listeners.listeners(policy, {gateway.namespace})}
    if authorities := _authorities(gateway):
        spec["tls"] = {"frontend": authorities}
    yield make(GATEWAY_API, "Gateway", gateway.name, gateway.span, namespace=gateway.namespace, spec=spec)
    yield make(
        API,
        POLICY,
        f"{gateway.name}-connections",
        gateway.span,
        namespace=gateway.namespace,
        spec={
            "targetRefs": [target(gateway)],
            # Backends that translate requests buffer them. With the default of 2 MiB longer ones would get 503.
            "frontend": {"http": {"maxBufferSize": str(policy.router.max_body + FRAME_BYTES)}},
        },
    )


def pods(policy: ir.Policy) -> GatewayPods:
    """Return the proxies, which are in the Gateway's namespace."""
    gateway = policy.gateway
    return GatewayPods(gateway.namespace, {GATEWAY_NAME: gateway.name}, "metrics", "/metrics", DOWN)


def target(gateway: ir.Gateway) -> Body:
    """Return the targetRef of a policy for all of the Gateway."""
    return {"group": GATEWAY_GROUP, "kind": "Gateway", "name": gateway.name}


def _authorities(gateway: ir.Gateway) -> Body:
    """Return the authorities of client certificates: the most frequent set for all ports, others by port."""
    by_port = {section.listener.port: section.listener for section in gateway.sections if section.listener.tls}
    demanded = {port: listener.client_certificates for port, listener in by_port.items()}
    if not any(demanded.values()):
        return {}
    settings = {port: _validation(authority) for port, authority in sorted(demanded.items()) if authority is not None}
    if len(settings) == len(demanded) and len(set(demanded.values())) == 1:
        return {"default": next(iter(settings.values()))}
    return {"default": {}, "perPort": [{"port": port, "tls": tls} for port, tls in settings.items()]}


def _validation(authority: ir.ClientCertificates) -> Body:
    reference = {"group": "", "kind": authority.kind, "name": authority.name}
    return {"validation": {"caCertificateRefs": [reference], "mode": "AllowValidOnly"}}


def check_client_certificates(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR343 for authorities of clients that differ within a port, or that the Gateway API has no field for."""
    versions, by_port = policy.versions, defaultdict(set)
    demanding = [listener for listener in policy.gateway.listeners if listener.client_certificates is not None]
    for listener in policy.gateway.listeners:
        if listener.tls is not None:
            by_port[listener.port].add(listener.client_certificates)
    lacking = RELEASES[versions["agentgateway"]].authorities_need
    for listener in demanding:
        if versions["gateway-api"] in lacking:
            message = f"a Gateway of gateway-api {versions['gateway-api']} cannot demand certificates of clients"
            yield Diagnostic("VSR343", message, listener.span, "Use gateway-api 1.5.1 or newer.")
        elif len(by_port[listener.port]) > 1:
            message = (
                f"listeners of port {listener.port} differ in `clientCertificates`, which agentgateway has by port"
            )
            hint = "Give all listeners of the port the same `clientCertificates`, or another port."
            yield Diagnostic("VSR343", message, listener.span, hint)
