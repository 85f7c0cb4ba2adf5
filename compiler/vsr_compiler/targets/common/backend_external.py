"""Providers outside the cluster: the gateway knows their hosts and speaks TLS to them, and holds none of their keys.

Istio documents this construction for a Gateway of the Gateway API: a ServiceEntry, a DestinationRule that originates
TLS, and a route to the kind Hostname.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body, Object, make

NETWORKING = "networking.istio.io"
SAME_NAMESPACE = ["."]
"""Nobody but the gateway, with whom they share a namespace, sees these objects."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """A ServiceEntry and a DestinationRule a host: two of either for one host would contradict each other."""
    hosts: dict[str, list[ir.Endpoint]] = {}
    for endpoint in _used(policy):
        hosts.setdefault(endpoint.host, []).append(endpoint)
    for endpoints in hosts.values():
        yield from _host(policy, endpoints)


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 where a provider shares a model: host, path and key are those of the whole route."""
    for model in policy.models:
        found = [endpoint for endpoint, _ in model.endpoints if endpoint.provider is not None]
        if found and len(model.endpoints) > 1:
            message = f"`{model.name}` is divided between endpoints of which `{found[0].name}` is outside the cluster"
            hint = "Give each its own model, and divide between those by a route's `split`."
            yield Diagnostic("VSR312", message, model.span, hint)


def backend(provider: ir.Provider) -> Body:
    """How a route refers to a provider. Istio refuses a namespace here."""
    return {"group": NETWORKING, "kind": "Hostname", "name": provider.host, "port": provider.port}


def rewrite(provider: ir.Provider) -> Body:
    """The route's filter that says the provider's own host, and its path instead of the one that clients know."""
    body: Body = {"hostname": provider.host}
    if provider.has_own_path:
        body["path"] = {"type": "ReplacePrefixMatch", "replacePrefixMatch": provider.path}
    return {"type": "URLRewrite", "urlRewrite": body}


def _used(policy: ir.Policy) -> list[ir.Endpoint]:
    """A provider that no model uses is not reachable either."""
    used = {endpoint.name for model in policy.models for endpoint, _ in model.endpoints}
    return [each for each in policy.endpoints if each.provider is not None and each.name in used]


def _host(policy: ir.Policy, endpoints: list[ir.Endpoint]) -> Iterator[Object]:
    providers = [each.provider for each in endpoints if each.provider is not None]
    host, origin, namespace = providers[0].host, endpoints[0].span, policy.gateway.namespace
    name = f"{policy.gateway.name}-to-{providers[0].object_name}"
    ports = sorted({provider.port for provider in providers})
    yield make(
        f"{NETWORKING}/v1",
        "ServiceEntry",
        name,
        origin,
        namespace=namespace,
        spec={
            "hosts": [host],
            "exportTo": SAME_NAMESPACE,
            "location": "MESH_EXTERNAL",
            "ports": [{"name": f"https-{port}", "number": port, "protocol": "HTTPS"} for port in ports],
            "resolution": "DNS",
        },
    )
    yield make(
        f"{NETWORKING}/v1",
        "DestinationRule",
        name,
        origin,
        namespace=namespace,
        spec={
            "host": host,
            "exportTo": SAME_NAMESPACE,
            # Without a name to look for, any certificate of a known authority would pass.
            "trafficPolicy": {"tls": {"mode": "SIMPLE", "sni": host, "subjectAltNames": [host]}},
        },
    )
