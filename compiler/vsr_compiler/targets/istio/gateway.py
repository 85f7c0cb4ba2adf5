"""The Gateway, for which Istio deploys Envoy."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Object, make
from vsr_compiler.targets.common import listeners
from vsr_compiler.targets.common.gateway_api import GATEWAY_API, GatewayPods

GATEWAY_NAME = f"{GATEWAY_GROUP}/gateway-name"
"""The label of a Gateway's pods."""
CLASS = "istio"
TERMINATE_MODE = "gateway.istio.io/tls-terminate-mode"
"""The option for certificates of clients: Istio's tasks on secure gateways, and pilot/pkg/config/kube/gateway."""
AUTHORITY = "-cacert"
"""What Istio appends to the Secret of a certificate for the Secret with the authorities of clients."""
_SERVICE = re.compile(r"[a-z][-a-z0-9]{0,62}")
"""Valid names of Services."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the Gateway. The policy's routes are in its namespace."""
    gateway = policy.gateway
    yield make(
        GATEWAY_API,
        "Gateway",
        gateway.name,
        gateway.span,
        namespace=gateway.namespace,
        spec={
            "gatewayClassName": CLASS,
            "listeners": listeners.listeners(policy, {gateway.namespace}, _tls_options),
        },
    )


def _tls_options(listener: ir.Listener) -> Mapping[str, str]:
    """Return the option by which Istio demands certificates of clients; see `check` for where it looks for the CA."""
    return {} if listener.client_certificates is None else {TERMINATE_MODE: "MUTUAL"}


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


def check_client_certificates(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR343 for authorities of clients that Istio would not find."""
    gateway = policy.gateway
    for listener in gateway.listeners:
        authority = listener.client_certificates
        if authority is None:
            continue
        secret, namespace = gateway.certificate(listener)
        expected = f"{secret}{AUTHORITY}"
        if (authority.kind, authority.name) != ("Secret", expected):
            message = f"Istio reads the authorities of clients of `{listener.name}` from the Secret `{expected}` only"
            hint = f"Write `clientCertificates: {{secret: {expected}}}`, and store `ca.crt` there."
            yield Diagnostic("VSR343", message, listener.span, hint)
        elif namespace != gateway.namespace:
            message = "Istio finds the authorities of clients only beside a certificate in the Gateway's namespace"
            hint = f"Keep the Secret `{secret}` in `{gateway.namespace}`."
            yield Diagnostic("VSR343", message, listener.span, hint)
