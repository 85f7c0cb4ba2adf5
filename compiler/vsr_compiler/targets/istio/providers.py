"""Providers outside the cluster: the gateway knows their hosts and speaks TLS to them, and holds none of their keys.

Istio documents this construction for a Gateway of the Gateway API: a ServiceEntry, a DestinationRule that originates
TLS, and a route to the kind Hostname.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.httproute import service_backend
from vsr_compiler.targets.istio.kinds import NETWORKING_GROUP

SAME_NAMESPACE = ["."]
"""Nobody but the gateway, with whom they share a namespace, sees these objects."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """A ServiceEntry and a DestinationRule a host: two of either for one host would contradict each other."""
    hosts: dict[str, list[ir.Endpoint]] = {}
    for endpoint in _used(policy):
        hosts.setdefault(endpoint.host, []).append(endpoint)
    for endpoints in hosts.values():
        yield from _host(policy, endpoints)


def backend(endpoint: ir.Endpoint) -> Body:
    """Return how an HTTPRoute refers to an endpoint: by its Service, or by the host of its provider.

    Istio rejects a namespace beside a host.
    """
    provider = endpoint.provider
    if provider is None:
        return service_backend(endpoint)
    return {"group": NETWORKING_GROUP, "kind": "Hostname", "name": provider.host, "port": provider.port}


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
            # Without a name to look for, any certificate of a known authority would pass.
            "trafficPolicy": {"tls": {"mode": "SIMPLE", "sni": host, "subjectAltNames": [host]}},
        },
    )
