"""What the local sandbox must know of the listeners of a policy: it makes certificates and asks each of them."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.deploy.envoy_listeners import has_listeners
from vsr_compiler.manifests.objects import Body


def settings(policy: ir.Policy) -> Body:
    """Return what the sandbox must know to make certificates and to ask each listener."""
    if not has_listeners(policy):
        return {}
    return {"listeners": [_settings(policy, listener) for listener in policy.gateway.listeners]}


def _settings(policy: ir.Policy, listener: ir.Listener) -> Body:
    body: Body = {
        "name": listener.name,
        "port": listener.port,
        "hostnames": list(policy.gateway.hostnames(listener)),
    }
    if listener.tls is not None:
        body["tls"] = True
    if listener.client_certificates is not None:
        body["clientCertificates"] = True
    if listener.redirect is not None:
        body["redirect"] = listener.redirect
    return body
