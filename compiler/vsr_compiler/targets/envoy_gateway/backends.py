"""Hosts by name for Envoy Gateway: a Backend, and for a provider outside the cluster the TLS that it is spoken to by.

A BackendTLSPolicy would say the same from beside it. But Envoy Gateway reads one version of that kind and passes in
silence over a cluster that has another, and a route may be there before the policy: in both cases requests, keys and
all, would leave in plain text. What the Backend says itself cannot be missed.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.httproute import service_backend
from vsr_compiler.targets.envoy_gateway.gateway import ENVOY_API
from vsr_compiler.targets.envoy_gateway.kinds import ENVOY_GROUP


def emit(policy: ir.Policy) -> Iterator[Object]:
    """A Backend for every provider that some model uses, beside the routes to it."""
    for endpoint in used(policy):
        if endpoint.provider is not None:
            yield backend(endpoint, policy.gateway.namespace)


def reference(endpoint: ir.Endpoint) -> Body:
    """How an HTTPRoute refers to an endpoint: by its Service, or by the Backend beside it."""
    if endpoint.provider is None:
        return service_backend(endpoint)
    return {"group": ENVOY_GROUP, "kind": "Backend", "name": endpoint.object_name}


def used(policy: ir.Policy) -> list[ir.Endpoint]:
    """The endpoints that models name; another is not to be reached."""
    names = {endpoint.name for model in policy.models for endpoint, _ in model.endpoints}
    return [endpoint for endpoint in policy.endpoints if endpoint.name in names]


def backend(endpoint: ir.Endpoint, namespace: str) -> Object:
    """The Backend of an endpoint. A provider's certificate must be valid for the name that it is asked for by."""
    provider = endpoint.provider
    port = endpoint.service.port if provider is None else provider.port
    spec: Body = {"type": "Endpoints", "endpoints": [{"fqdn": {"hostname": endpoint.host, "port": port}}]}
    if provider is not None:
        spec["tls"] = {"insecureSkipVerify": False, "sni": provider.host, "wellKnownCACertificates": "System"}
    return make(ENVOY_API, "Backend", endpoint.object_name, endpoint.span, namespace=namespace, spec=spec)
