"""Hosts by name for Envoy Gateway: a Backend, and for a provider outside the cluster the certificate it must have."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.features.gateway_envoy import ENVOY_API, ENVOY_GROUP
from compiler.features.objects import Body, Object, make
from compiler.features.routes_httproute import GATEWAY_GROUP, in_cluster
from compiler.link import ir
from compiler.releases import gateway as releases


def emit(policy: ir.Policy) -> Iterator[Object]:
    """A Backend for every provider that some model uses, beside the routes to it."""
    for endpoint in used(policy):
        if endpoint.provider is not None:
            yield from backend(policy, endpoint, policy.gateway.namespace)


def reference(endpoint: ir.Endpoint) -> Body:
    """How an HTTPRoute refers to an endpoint: by its Service, or by the Backend beside it."""
    if endpoint.provider is None:
        return in_cluster(endpoint)
    return {"group": ENVOY_GROUP, "kind": "Backend", "name": endpoint.object_name}


def used(policy: ir.Policy) -> list[ir.Endpoint]:
    """The endpoints that models name; another is not to be reached."""
    names = {endpoint.name for model in policy.models for endpoint, _ in model.endpoints}
    return [endpoint for endpoint in policy.endpoints if endpoint.name in names]


def backend(policy: ir.Policy, endpoint: ir.Endpoint, namespace: str) -> Iterator[Object]:
    """The Backend of an endpoint, and the certificate that a provider must have."""
    name, provider = endpoint.object_name, endpoint.provider
    port = endpoint.service.port if provider is None else provider.port
    yield make(
        ENVOY_API,
        "Backend",
        name,
        endpoint.span,
        namespace=namespace,
        spec={"type": "Endpoints", "endpoints": [{"fqdn": {"hostname": endpoint.host, "port": port}}]},
    )
    if provider is not None:
        release = releases.GATEWAY_API[policy.versions["gateway-api"]]
        yield make(
            f"{GATEWAY_GROUP}/{release.backend_tls}",
            "BackendTLSPolicy",
            name,
            endpoint.span,
            namespace=namespace,
            spec={
                "targetRefs": [{"group": ENVOY_GROUP, "kind": "Backend", "name": name}],
                "validation": {"hostname": provider.host, "wellKnownCACertificates": "System"},
            },
        )
