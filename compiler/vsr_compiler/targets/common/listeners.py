"""Listeners of the Gateway with what belongs to them: certificates, grants for Secrets, and redirects to TLS.

A certificate comes from an object Certificate and not from an annotation of the Gateway. The annotation has one issuer
for all listeners, and cert-manager reads it only if its support of the Gateway API is switched on.

A redirect is a route of its own listener. The router's filter does not run there, and no route to a model attaches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import CERT_MANAGER_GROUP, GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.gateway_api import GATEWAY_API, section_ref

CERT_MANAGER_API = f"{CERT_MANAGER_GROUP}/v1"
NAMESPACE_NAME = "kubernetes.io/metadata.name"
REDIRECT_STATUS = 301
"""Every release of the Gateway API has it. Browsers follow it; an API client that posts has to use the other URL."""
MAX_SECTIONS = 64
"""Listeners of a Gateway, by its CRD."""
MAX_PARENTS = 16
"""Listeners to which a route attaches: an AIGatewayRoute has 16 parentRefs, an HTTPRoute 32."""
HTTPS_PORT = 443

TlsOptions = Callable[[ir.Listener], Mapping[str, str]]
"""Returns the `tls.options` of a listener."""


def no_options(listener: ir.Listener) -> Mapping[str, str]:
    """Return no options."""
    del listener
    return {}


def listeners(policy: ir.Policy, route_namespaces: Iterable[str], options: TlsOptions = no_options) -> list[Body]:
    """Return the listeners of the Gateway.

    Args:
        policy: The policy.
        route_namespaces: The namespaces of its routes.
        options: Returns options of the control plane.
    """
    own = set(route_namespaces)
    return [_listener(policy.gateway, section, own, options) for section in policy.gateway.sections]


def _listener(gateway: ir.Gateway, section: ir.Section, own: set[str], options: TlsOptions) -> Body:
    listener = section.listener
    body: Body = {"name": section.name, "port": listener.port, "protocol": listener.protocol}
    if section.hostname:
        body["hostname"] = section.hostname
    if listener.tls is not None:
        name, namespace = gateway.certificate(listener)
        reference = {"group": "", "kind": "Secret", "name": name, "namespace": namespace}
        body["tls"] = {"mode": "Terminate", "certificateRefs": [reference]}
        if extra := options(listener):
            body["tls"]["options"] = dict(extra)
    redirects = listener.redirect is not None
    admitted = {gateway.namespace} if redirects else own | set(listener.namespaces)
    return body | {"allowedRoutes": {"namespaces": _admitted(gateway, admitted)}}


def _admitted(gateway: ir.Gateway, namespaces: set[str]) -> Body:
    if namespaces <= {gateway.namespace}:
        return {"from": "Same"}
    names = {"key": NAMESPACE_NAME, "operator": "In", "values": sorted(namespaces)}
    return {"from": "Selector", "selector": {"matchExpressions": [names]}}


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the Certificates, the grants for Secrets in other namespaces, and the routes that redirect."""
    by_name = {listener.name: listener for listener in policy.gateway.listeners}
    for listener in policy.gateway.listeners:
        if listener.redirect is not None:
            yield _redirect(policy, listener, by_name[listener.redirect])
        elif listener.tls is not None:
            if listener.tls.issuer is not None:
                yield _certificate(policy.gateway, listener, listener.tls.issuer)
            if policy.gateway.certificate(listener)[1] != policy.gateway.namespace:
                yield _grant(policy.gateway, listener)


def _certificate(gateway: ir.Gateway, listener: ir.Listener, issuer: ir.Issuer) -> Object:
    secret, namespace = gateway.certificate(listener)
    return make(
        CERT_MANAGER_API,
        "Certificate",
        f"{gateway.name}-{listener.name}",
        listener.span,
        namespace=namespace,
        spec={
            "secretName": secret,
            "dnsNames": list(listener.hostnames),
            "issuerRef": {"group": CERT_MANAGER_GROUP, "kind": issuer.kind, "name": issuer.name},
            # Older releases keep the private key at renewal.
            "privateKey": {"rotationPolicy": "Always"},
        },
    )


def _grant(gateway: ir.Gateway, listener: ir.Listener) -> Object:
    secret, namespace = gateway.certificate(listener)
    return make(
        f"{GATEWAY_GROUP}/v1beta1",
        "ReferenceGrant",
        f"{gateway.name}-{listener.name}-tls",
        listener.span,
        namespace=namespace,
        spec={
            "from": [{"group": GATEWAY_GROUP, "kind": "Gateway", "namespace": gateway.namespace}],
            "to": [{"group": "", "kind": "Secret", "name": secret}],
        },
    )


def _redirect(policy: ir.Policy, listener: ir.Listener, target: ir.Listener) -> Object:
    gateway = policy.gateway
    location: Body = {"scheme": "https", "statusCode": REDIRECT_STATUS}
    if target.port != HTTPS_PORT:
        location["port"] = target.port
    rule: Body = {
        "matches": [{"path": {"type": "PathPrefix", "value": "/"}}],
        "filters": [{"type": "RequestRedirect", "requestRedirect": location}],
    }
    hostnames = list(gateway.hostnames(listener))
    parents = [section_ref(gateway, section) for section in gateway.sections if section.listener is listener]
    return make(
        GATEWAY_API,
        "HTTPRoute",
        f"{gateway.name}-{listener.name}-redirect",
        listener.span,
        namespace=gateway.namespace,
        spec={"parentRefs": parents, **({"hostnames": hostnames} if hostnames else {}), "rules": [rule]},
    )


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR344 for more listeners than the Gateway or a route can have."""
    gateway = policy.gateway
    hint = "Use fewer hostnames, wildcards, or a second policy with a Gateway of its own."
    for number, maximum, what in (
        (len(gateway.sections), MAX_SECTIONS, "a Gateway"),
        (len(gateway.model_sections), MAX_PARENTS, "a route"),
    ):
        if number > maximum:
            message = f"the hostnames of the listeners make {number} listeners, and {what} can have {maximum}"
            yield Diagnostic("VSR344", message, gateway.span, hint)


def preflight(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315: the Secrets and ConfigMaps of listeners must exist, or cert-manager and the issuer."""
    gateway = policy.gateway
    for listener in gateway.listeners:
        if listener.tls is None:
            continue
        secret, namespace = gateway.certificate(listener)
        if listener.tls.issuer is None:
            message = f"the Secret `{secret}` with the certificate of `{listener.name}` must exist in `{namespace}`"
            hint = f"Create it: `kubectl create secret tls {secret} --namespace {namespace} --cert FILE --key FILE`."
        else:
            issuer = listener.tls.issuer
            message = f"cert-manager and its {issuer.kind} `{issuer.name}` must exist for `{listener.name}`"
            hint = "Let the issuer prove names by DNS: the Gateway passes no requests for `/.well-known/` to it."
        yield Diagnostic("VSR315", message, listener.span, hint)
        authority = listener.client_certificates
        if authority is not None:
            message = f"the {authority.kind} `{authority.name}` with `ca.crt` must exist in `{gateway.namespace}`"
            hint = "It contains the certificates of the authorities that sign those of clients."
            yield Diagnostic("VSR315", message, listener.span, hint)
