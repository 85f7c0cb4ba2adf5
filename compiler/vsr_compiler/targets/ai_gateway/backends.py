"""Backends of Envoy AI Gateway: a pool, or a host by name (of a Service or a provider).

A route and everything that it refers to are in one namespace. AI Gateway looks for a pool in the route's namespace
regardless of the reference, and for a provider's Secret in the namespace of the provider's objects. So the namespace of
an endpoint's route is that of the pods for a pool, that of the API key for a provider, and the Gateway's for a Service,
which is referred to by its full host name.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.gateways import AI_GATEWAY, AiGateway
from vsr_compiler.targets.ai_gateway.kinds import AI_GROUP
from vsr_compiler.targets.common.pools import POOL_GROUP, declared, inference_pool
from vsr_compiler.targets.envoy_gateway import backends as hosts
from vsr_compiler.targets.envoy_gateway.kinds import ENVOY_GROUP

SECRET_KEY = "apiKey"  # noqa: S105 - the key's name, not a key
"""The only key of a Secret that AI Gateway reads."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the pools, and a backend for every other endpoint that some model uses."""
    release = AI_GATEWAY[policy.versions["envoy-ai-gateway"]]
    pools = {endpoint.name for endpoint in declared(policy)}
    for endpoint in policy.endpoints:
        if endpoint.name in pools:
            yield inference_pool(policy, endpoint)
        elif endpoint in hosts.used(policy):
            yield from backend(endpoint, route_namespace(policy, endpoint), release)


def route_namespace(policy: ir.Policy, endpoint: ir.Endpoint) -> str:
    """Return the namespace of the routes to an endpoint."""
    if endpoint.pool is not None:
        return endpoint.service.namespace
    return policy.gateway.namespace if endpoint.provider is None else policy.router.grpc.namespace


def reference(endpoint: ir.Endpoint, weight: int) -> Body:
    """Return the backendRef of an endpoint. A pool is the only one in its rule."""
    body: Body = {"name": endpoint.object_name, "priority": 0, "weight": weight}
    return body | {"group": POOL_GROUP, "kind": "InferencePool"} if endpoint.pool is not None else body


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 for what AI Gateway cannot do, VSR311 for settings of pools that it ignores."""
    for model in policy.models:
        pools = [endpoint for endpoint, _ in model.endpoints if endpoint.pool is not None]
        if pools and len(model.endpoints) > 1 and not any(endpoint.provider for endpoint, _ in model.endpoints):
            message = f"`{model.name}` has several endpoints, but `{pools[0].name}` is a pool and must be the only one"
            hint = "Put all pods into one pool, or define two models and use a route's `split`."
            yield Diagnostic("VSR312", message, model.span, hint)
    for endpoint in policy.endpoints:
        if endpoint.pool is not None and endpoint.pool.failure_mode == "FailOpen":
            message = f"`FailOpen` of `{endpoint.name}` is ignored: Envoy AI Gateway always requires the picker"
            yield Diagnostic("VSR311", message, endpoint.pool.span, "For `FailOpen`, use the target gie or llm-d.")
        secret = endpoint.provider.secret if endpoint.provider else None
        if secret is not None and secret[1] != SECRET_KEY:
            message = (
                f"Envoy AI Gateway reads the key `{SECRET_KEY}` of a Secret, but `{endpoint.name}` has `{secret[1]}`"
            )
            hint = f"Store the API key in the Secret `{secret[0]}` under `{SECRET_KEY}`, and set that here."
            yield Diagnostic("VSR312", message, endpoint.span, hint)


def backend(endpoint: ir.Endpoint, namespace: str, release: AiGateway) -> Iterator[Object]:
    """Yield the backend of an endpoint in a namespace, with its host and its key."""
    name = endpoint.object_name
    path = endpoint.provider.path if endpoint.provider else ir.API_PATH
    yield make(
        release.api,
        "AIServiceBackend",
        name,
        endpoint.span,
        namespace=namespace,
        spec={
            "backendRef": {"group": ENVOY_GROUP, "kind": "Backend", "name": name},
            # AI Gateway appends the rest of the path. An empty prefix has different meanings in different releases.
            "schema": {"name": "OpenAI", release.prefix: path.strip("/")},
        }
        | _hidden(endpoint),
    )
    yield hosts.backend(endpoint, namespace)
    if endpoint.provider is not None and endpoint.provider.secret is not None:
        yield _key(endpoint, endpoint.provider.secret[0], namespace, release)


def _hidden(endpoint: ir.Endpoint) -> Body:
    """Return the field that removes what a provider must not learn. AI Gateway cannot remove its own headers."""
    provider = endpoint.provider
    return {"headerMutation": {"remove": list(provider.hidden_headers)}} if provider and provider.hidden_headers else {}


def _key(endpoint: ir.Endpoint, secret: str, namespace: str, release: AiGateway) -> Object:
    return make(
        release.api,
        "BackendSecurityPolicy",
        endpoint.object_name,
        endpoint.span,
        namespace=namespace,
        spec={
            "type": "APIKey",
            "apiKey": {"secretRef": {"group": "", "kind": "Secret", "name": secret}},
            "targetRefs": [{"group": AI_GROUP, "kind": "AIServiceBackend", "name": endpoint.object_name}],
        },
    )
