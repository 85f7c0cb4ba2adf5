"""Backends: hosts by name for Envoy Gateway, with TLS for providers outside the cluster.

TLS is configured in the Backend and not in a BackendTLSPolicy. Envoy Gateway reads only one version of that kind and
ignores others, and a route can exist before the policy. In both cases requests with API keys would leave in plain text.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.httproute import service_backend
from vsr_compiler.targets.envoy_gateway.gateway import ENVOY_API
from vsr_compiler.targets.envoy_gateway.kinds import ENVOY_GROUP


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield a Backend for every provider that some model uses, in the namespace of its routes."""
    for endpoint in used(policy):
        if endpoint.provider is not None:
            yield backend(endpoint, policy.gateway.namespace)


def reference(endpoint: ir.Endpoint) -> Body:
    """Return the backendRef of an endpoint: its Service, or the Backend of a provider."""
    if endpoint.provider is None:
        return service_backend(endpoint)
    return {"group": ENVOY_GROUP, "kind": "Backend", "name": endpoint.object_name}


def used(policy: ir.Policy) -> list[ir.Endpoint]:
    """Return the endpoints that some model uses. Others stay unreachable."""
    names = {endpoint.name for model in policy.models for endpoint, _ in model.endpoints}
    return [endpoint for endpoint in policy.endpoints if endpoint.name in names]


def backend(endpoint: ir.Endpoint, namespace: str) -> Object:
    """Return the Backend of an endpoint. The certificate of a provider must be valid for its host."""
    provider = endpoint.provider
    port = endpoint.service.port if provider is None else provider.port
    spec: Body = {"type": "Endpoints", "endpoints": [{"fqdn": {"hostname": endpoint.host, "port": port}}]}
    if provider is not None:
        spec["tls"] = {"insecureSkipVerify": False, "sni": provider.host, "wellKnownCACertificates": "System"}
    return make(ENVOY_API, "Backend", endpoint.object_name, endpoint.span, namespace=namespace, spec=spec)
