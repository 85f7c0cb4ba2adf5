"""Backends of Envoy AI Gateway: a pool, or a host by name (of a Service or a provider).

A route and everything that it refers to are in one namespace. AI Gateway looks for a pool in the route's namespace
regardless of the reference, and for a backend's Secret in the namespace of the backend's objects. So the namespace of
an endpoint's route is that of the pods for a pool, that of the API key for a provider or another endpoint with a key,
and the Gateway's for a Service, which is referred to by its full host name.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.ai_gateway_schemas import NAMES
from vsr_compiler.releases.gateways import AI_GATEWAY, AiGateway
from vsr_compiler.releases.providers import SCHEMAS
from vsr_compiler.targets.ai_gateway.credentials import security_policy
from vsr_compiler.targets.common.pools import POOL_GROUP, declared, inference_pool
from vsr_compiler.targets.envoy_gateway import backends as hosts
from vsr_compiler.targets.envoy_gateway.kinds import ENVOY_GROUP


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the pools, a backend for every other endpoint that some model uses, and their credentials."""
    release = AI_GATEWAY[policy.versions["envoy-ai-gateway"]]
    pools = {endpoint.name for endpoint in declared(policy)}
    for endpoint in policy.endpoints:
        if endpoint.name in pools:
            yield inference_pool(policy, endpoint)
            yield from security_policy(endpoint, route_namespace(policy, endpoint), release.api)
        elif endpoint.existing_pool is None and endpoint in hosts.used(policy):
            yield from backend(endpoint, route_namespace(policy, endpoint), release)


def route_namespace(policy: ir.Policy, endpoint: ir.Endpoint) -> str:
    """Return the namespace of the routes to an endpoint."""
    if endpoint.pool is not None or endpoint.existing_pool is not None:
        return endpoint.service.namespace
    needs_secret = endpoint.provider is not None or endpoint.api_key is not None
    return policy.router.grpc.namespace if needs_secret else policy.gateway.namespace


def name_at(endpoint: ir.Endpoint, served_name: str) -> str:
    """Return the name of a model at an endpoint. AI Gateway builds the path of Azure OpenAI from it."""
    return (endpoint.provider.api.deployment if endpoint.provider else "") or served_name


def reference(endpoint: ir.Endpoint, weight: int, served_name: str = "") -> Body:
    """Return the backendRef of an endpoint. A pool is the only one in its rule."""
    body: Body = {"name": endpoint.object_name, "priority": 0, "weight": weight}
    if (name := name_at(endpoint, served_name)) != served_name:
        body["modelNameOverride"] = name
    if endpoint.existing_pool is not None:
        body["name"] = endpoint.service.name
    is_pool = endpoint.pool is not None or endpoint.existing_pool is not None
    return body | {"group": POOL_GROUP, "kind": "InferencePool"} if is_pool else body


def backend(endpoint: ir.Endpoint, namespace: str, release: AiGateway) -> Iterator[Object]:
    """Yield the backend of an endpoint in a namespace, with its host and its key."""
    name = endpoint.object_name
    yield make(
        release.api,
        "AIServiceBackend",
        name,
        endpoint.span,
        namespace=namespace,
        spec={
            "backendRef": {"group": ENVOY_GROUP, "kind": "Backend", "name": name},
            "schema": _schema(endpoint, release),
        }
        | _hidden(endpoint),
    )
    yield hosts.backend(endpoint, namespace)
    yield from security_policy(endpoint, namespace, release.api)


def _schema(endpoint: ir.Endpoint, release: AiGateway) -> Body:
    """Return the API of a backend. AI Gateway translates requests to it, and sets their paths."""
    provider = endpoint.provider
    schema = provider.api.schema if provider else None
    # AI Gateway appends the rest of the path. An empty prefix has different meanings in different releases.
    prefix = (provider.path if provider else ir.API_PATH).strip("/")
    if provider is None or schema is None or schema == "openai":
        return {"name": NAMES["openai"], release.prefix: prefix}
    if schema == "anthropic":
        return {"name": NAMES[schema], release.prefix: prefix}
    version = provider.api.version or SCHEMAS[schema].version
    return {"name": NAMES[schema]} | ({"version": version} if version else {})


def _hidden(endpoint: ir.Endpoint) -> Body:
    """Return the field that removes what a provider must not learn. AI Gateway cannot remove its own headers."""
    provider = endpoint.provider
    return {"headerMutation": {"remove": list(provider.hidden_headers)}} if provider and provider.hidden_headers else {}
