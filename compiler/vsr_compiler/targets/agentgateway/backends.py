"""Backends of agentgateway: providers outside the cluster and endpoints with a key, which the gateway itself holds.

The key is read from a Secret in the namespace of the backend, so such backends are in the router's namespace. A backend
is a host with TLS, to which the API of the policy passes unchanged, or a provider whose API the gateway speaks. No
`AgentgatewayModel` is emitted: it makes routes of exact paths without headers, which come before the router's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import Wave
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.agentgateway.kinds import API, BACKEND, GROUP, POLICY
from vsr_compiler.targets.agentgateway.translated import is_translated, spec_of
from vsr_compiler.targets.common import httproute
from vsr_compiler.targets.common.pools import POOL_GROUP, existing_reference, inference_pool

CONNECT_TIMEOUT = "5s"


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the pools, the backends, and the policies of connections to Services that exist already."""
    used = {endpoint.name for model in policy.models for endpoint, _ in model.endpoints}
    connected: set[tuple[str, str]] = set()
    for endpoint in policy.endpoints:
        if endpoint.pool is not None:
            yield inference_pool(policy, replace(endpoint, pool=replace(endpoint.pool, failure_mode="FailClose")))
        elif endpoint.name not in used:
            continue
        elif endpoint.existing_pool is None and _is_backend(endpoint):
            yield _backend(policy, endpoint)
        elif isinstance(endpoint.kind, ir.ExistingService):
            place = (endpoint.service.namespace, endpoint.service.name)
            if place not in connected:
                connected.add(place)
                yield _connection(endpoint)


def routes(policy: ir.Policy) -> Iterator[Object]:
    """Yield the HTTPRoutes, and the grants for what they refer to."""
    return httproute.routes(policy, lambda endpoint: reference(policy, endpoint), rewrites=_is_plain)


def reference(policy: ir.Policy, endpoint: ir.Endpoint) -> Body:
    """Return the backendRef of an endpoint: its pool, its backend or its Service."""
    if endpoint.existing_pool is not None:
        return existing_reference(endpoint, endpoint.existing_pool)
    if endpoint.pool is not None:
        namespace = endpoint.service.namespace
        return {"group": POOL_GROUP, "kind": "InferencePool", "name": endpoint.object_name, "namespace": namespace}
    if _is_backend(endpoint):
        namespace = policy.router.grpc.namespace
        return {"group": GROUP, "kind": BACKEND, "name": endpoint.object_name, "namespace": namespace}
    return httproute.service_backend(endpoint)


def _is_backend(endpoint: ir.Endpoint) -> bool:
    return endpoint.provider is not None or endpoint.api_key is not None


def _is_plain(endpoint: ir.Endpoint) -> bool:
    """Return whether a route sets host and path of a provider; otherwise the gateway does."""
    return not is_translated(endpoint)


def _backend(policy: ir.Policy, endpoint: ir.Endpoint) -> Object:
    spec = spec_of(endpoint) if is_translated(endpoint) else _static(endpoint)
    name, namespace = endpoint.object_name, policy.router.grpc.namespace
    return make(API, BACKEND, name, endpoint.span, namespace=namespace, spec=spec)


def _static(endpoint: ir.Endpoint) -> Body:
    """Return the spec of a host. The certificate of a provider must be valid for its host."""
    provider = endpoint.provider
    port = endpoint.service.port if provider is None else provider.port
    policies: Body = {"tcp": {"connectTimeout": CONNECT_TIMEOUT}}
    if endpoint.api_key is not None:
        policies["auth"] = _key(endpoint.api_key)
    if provider is not None:
        policies["tls"] = {"sni": provider.host}
    else:
        policies["http"] = {"version": "HTTP1"}
    return {"static": {"host": endpoint.host, "port": port}, "policies": policies}


def _key(key: ir.EndpointKey) -> Body:
    """Return where a key is read and sent. The router has removed the client's credentials before."""
    if key.query:
        location: Body = {"queryParameter": {"name": key.query}}
    else:
        location = {"header": {"name": key.header} | ({"prefix": key.prefix} if key.prefix else {})}
    return {"location": location, "secretRef": {"name": key.secret, "key": key.key}}


def _connection(endpoint: ir.Endpoint) -> Object:
    """Return the policy of a Service: without it the gateway speaks HTTP/2 to the server if the client does."""
    service = endpoint.service
    return make(
        API,
        POLICY,
        f"{service.name}-connection",
        endpoint.span,
        namespace=service.namespace,
        wave=Wave.ROUTE,  # it is attached when a route leads there
        spec={
            "targetRefs": [{"group": "", "kind": "Service", "name": service.name}],
            "backend": {"http": {"version": "HTTP1"}, "tcp": {"connectTimeout": CONNECT_TIMEOUT}},
        },
    )
