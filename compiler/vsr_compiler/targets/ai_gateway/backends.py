"""What Envoy AI Gateway can route to: a pool, or a host by name, which a Service has as well as a provider.

Everything that it points to stands where its route does. AI Gateway looks for a pool in the route's own namespace
whatever the reference says, and for a provider's Secret in that of the objects around the provider. So an endpoint has
a home: a pool's is where its pods are, a provider's where its key is, and a Service, which is called by its full name,
is at home with the Gateway.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.gateway import AI_GATEWAY, AiGateway
from vsr_compiler.targets.ai_gateway.kinds import AI_GROUP
from vsr_compiler.targets.common.pools import POOL_GROUP, asked_for, inference_pool
from vsr_compiler.targets.envoy_gateway import backends as hosts
from vsr_compiler.targets.envoy_gateway.kinds import ENVOY_GROUP

SECRET_KEY = "apiKey"  # noqa: S105 - the key's name, not a key
"""The one key of a Secret that AI Gateway reads."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """The pools, and for every other endpoint that some model uses a backend under its own name."""
    release = AI_GATEWAY[policy.versions["envoy-ai-gateway"]]
    pools = {endpoint.name for endpoint in asked_for(policy)}
    for endpoint in policy.endpoints:
        if endpoint.name in pools:
            yield inference_pool(policy, endpoint)
        elif endpoint in hosts.used(policy):
            yield from _backend(policy, endpoint, release)


def home(policy: ir.Policy, endpoint: ir.Endpoint) -> str:
    """The namespace in which an endpoint is routed to."""
    if endpoint.pool is not None:
        return endpoint.service.namespace
    return policy.gateway.namespace if endpoint.provider is None else policy.router.grpc.namespace


def reference(endpoint: ir.Endpoint, weight: int) -> Body:
    """How a rule refers to an endpoint. A pool is alone in its rule."""
    body: Body = {"name": endpoint.object_name, "priority": 0, "weight": weight}
    return body | {"group": POOL_GROUP, "kind": "InferencePool"} if endpoint.pool is not None else body


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """What AI Gateway cannot do (VSR312), and what of a pool it does not heed (VSR311)."""
    for model in policy.models:
        pools = [endpoint for endpoint, _ in model.endpoints if endpoint.pool is not None]
        if pools and len(model.endpoints) > 1 and not any(each.provider for each, _ in model.endpoints):
            message = f"`{model.name}` is divided between endpoints of which `{pools[0].name}` is a pool"
            hint = "Put all pods into one pool, or make two models and divide by a route's `split`."
            yield Diagnostic("VSR312", message, model.span, hint)
    for endpoint in policy.endpoints:
        if endpoint.pool is not None and endpoint.pool.failure_mode == "FailOpen":
            message = f"`FailOpen` of `{endpoint.name}` is ignored: Envoy AI Gateway always asks the picker"
            yield Diagnostic("VSR311", message, endpoint.pool.span, "Nothing, or use the target gie or llm-d.")
        secret = endpoint.provider.secret if endpoint.provider else None
        if secret is not None and secret[1] != SECRET_KEY:
            message = (
                f"Envoy AI Gateway reads the key `{SECRET_KEY}` of a Secret, and `{endpoint.name}` has `{secret[1]}`"
            )
            hint = f"Put the key into the Secret `{secret[0]}` under `{SECRET_KEY}`, and name that here."
            yield Diagnostic("VSR312", message, endpoint.span, hint)


def _backend(policy: ir.Policy, endpoint: ir.Endpoint, release: AiGateway) -> Iterator[Object]:
    name, namespace = endpoint.object_name, home(policy, endpoint)
    path = endpoint.provider.path if endpoint.provider else ir.API_PATH
    yield make(
        release.api,
        "AIServiceBackend",
        name,
        endpoint.span,
        namespace=namespace,
        spec={
            "backendRef": {"group": ENVOY_GROUP, "kind": "Backend", "name": name},
            # AI Gateway joins it to the rest of the path; releases differ about what an empty one would mean.
            "schema": {"name": "OpenAI", release.prefix: path.strip("/")},
        },
    )
    yield hosts.backend(endpoint, namespace)
    if endpoint.provider is not None and endpoint.provider.secret is not None:
        yield _key(endpoint, endpoint.provider.secret[0], namespace, release)


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
