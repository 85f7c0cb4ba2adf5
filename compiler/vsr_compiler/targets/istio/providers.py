"""Providers outside the cluster: the gateway connects to their hosts by TLS and holds none of their API keys.

Istio documents this construction for the Gateway API: a ServiceEntry, a DestinationRule that originates TLS, and a
route to the kind Hostname.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.httproute import service_backend
from vsr_compiler.targets.istio.kinds import NETWORKING_GROUP

SAME_NAMESPACE = ["."]
"""Only proxies in the namespace of these objects use them, which is the gateway's."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield a ServiceEntry and a DestinationRule per host; two of either for one host would conflict."""
    hosts: dict[str, list[ir.Endpoint]] = {}
    for endpoint in _used(policy):
        hosts.setdefault(endpoint.host, []).append(endpoint)
    for endpoints in hosts.values():
        yield from _host(policy, endpoints)


def backend(endpoint: ir.Endpoint) -> Body:
    """Return how an HTTPRoute refers to an endpoint: by its Service, or by the host of its provider.

    Istio rejects a namespace in a reference to a host.
    """
    provider = endpoint.provider
    if provider is None:
        return service_backend(endpoint)
    return {"group": NETWORKING_GROUP, "kind": "Hostname", "name": provider.host, "port": provider.port}


def _used(policy: ir.Policy) -> list[ir.Endpoint]:
    """Return the providers that some model uses. Others stay unreachable."""
    used = {endpoint.name for model in policy.models for endpoint, _ in model.endpoints}
    return [endpoint for endpoint in policy.endpoints if endpoint.provider is not None and endpoint.name in used]


def _host(policy: ir.Policy, endpoints: list[ir.Endpoint]) -> Iterator[Object]:
    providers = [endpoint.provider for endpoint in endpoints if endpoint.provider is not None]
    host, origin, namespace = providers[0].host, endpoints[0].span, policy.gateway.namespace
    name = f"{policy.gateway.name}-to-{providers[0].object_name}"
    ports = sorted({provider.port for provider in providers})
    yield make(
        f"{NETWORKING_GROUP}/v1",
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
        f"{NETWORKING_GROUP}/v1",
        "DestinationRule",
        name,
        origin,
        namespace=namespace,
        spec={
            "host": host,
            "exportTo": SAME_NAMESPACE,
            # Without a subject, any certificate of a known authority would be accepted.
            "trafficPolicy": {"tls": {"mode": "SIMPLE", "sni": host, "subjectAltNames": [host]}},
        },
    )
