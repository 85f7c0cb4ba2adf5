"""One HTTPRoute per model, chosen by the header that the router writes.

There is no catch-all on purpose: a request that the router did not send anywhere gets 404 and reaches no model. Only
where the policy says `onFailure: default-model` is there a route for what bears no such header.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases import gateway as releases
from vsr_compiler.targets.common.gateway_api import GATEWAY_API, gateway_duration, parent
from vsr_schemas.headers import SELECTED_MODEL

Backend = Callable[[ir.Endpoint], Body]
"""How a route refers to an endpoint: group, kind, name and namespace, and a port where the kind has one."""


def emitter(backend: Backend) -> Callable[[ir.Policy], Iterator[Object]]:
    """The routes to what a kind of gateway knows endpoints by, and the grants that let them cross namespaces."""

    def emit(policy: ir.Policy) -> Iterator[Object]:
        """A route for each model."""
        return routes(policy, backend)

    return emit


def homes(policy: ir.Policy) -> set[str]:
    """The namespaces in which routes stand."""
    return {policy.gateway.namespace}


def routes(policy: ir.Policy, backend: Backend) -> Iterator[Object]:
    """A route for each model, and a grant for each endpoint of another namespace."""
    for model in policy.models:
        yield _route(policy, model, backend)
    if policy.router.fails_open:
        yield _undecided(policy, backend)
    used = {endpoint.name for model in policy.models for endpoint, _ in model.endpoints}
    for endpoint in policy.endpoints:
        if (
            endpoint.provider is None
            and endpoint.name in used
            and endpoint.service.namespace != policy.gateway.namespace
        ):
            yield _grant(policy, endpoint, backend(endpoint))


def service_backend(endpoint: ir.Endpoint) -> Body:
    """The endpoint's Service."""
    service = endpoint.service
    return {
        "group": "",
        "kind": "Service",
        "name": service.name,
        "namespace": service.namespace,
        "port": service.port,
    }


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 for a model with too many endpoints for one rule, or with other endpoints beside a provider."""
    yield from _check_providers(policy)
    most = releases.GATEWAY_API[policy.versions["gateway-api"]].max_backends
    for model in policy.models:
        if len(model.endpoints) > most:
            message = f"`{model.name}` has {len(model.endpoints)} endpoints, and a route takes {most}"
            hint = "Put replicas behind one endpoint, or divide the model in two and `split` between them."
            yield Diagnostic("VSR312", message, model.span, hint)


def _check_providers(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 where a provider shares a model: host, path and key are those of the whole route."""
    for model in policy.models:
        found = [endpoint for endpoint, _ in model.endpoints if endpoint.provider is not None]
        if found and len(model.endpoints) > 1:
            message = f"`{model.name}` is divided between endpoints of which `{found[0].name}` is outside the cluster"
            hint = "Give each its own model, and divide between those by a route's `split`."
            yield Diagnostic("VSR312", message, model.span, hint)


def _route(policy: ir.Policy, model: ir.Model, backend: Backend) -> Object:
    provider = model.provider.provider if model.provider else None
    # A longer path comes before a header: the model's must not be shorter than that of the undecided.
    path = ir.API_PATH if policy.router.fails_open or (provider and provider.has_own_path) else "/"
    match: Body = {
        "path": {"type": "PathPrefix", "value": path},
        "headers": [{"type": "Exact", "name": SELECTED_MODEL, "value": model.name}],
    }
    rule = _rule(policy, model, backend, match)
    if provider is not None:
        rule["filters"] = [_rewrite(provider)]
    return _object(policy, model.object_name, model.span, rule)


def _rewrite(provider: ir.Provider) -> Body:
    """The route's filter that says the provider's own host, and its path instead of the one that clients know."""
    body: Body = {"hostname": provider.host}
    if provider.has_own_path:
        body["path"] = {"type": "ReplacePrefixMatch", "replacePrefixMatch": provider.path}
    return {"type": "URLRewrite", "urlRewrite": body}


def _undecided(policy: ir.Policy, backend: Backend) -> Object:
    """To the default, for requests of which a router that failed said nothing; nothing but the API."""
    match: Body = {"path": {"type": "PathPrefix", "value": ir.API_PATH}}
    rule = _rule(policy, policy.default, backend, match)
    return _object(policy, on_failure_name(policy), policy.router.span, rule)


def on_failure_name(policy: ir.Policy) -> str:
    """What the route of undecided requests is called."""
    return f"{policy.gateway.name}-on-failure"


def _rule(policy: ir.Policy, model: ir.Model, backend: Backend, match: Body) -> Body:
    timeout = gateway_duration(policy.gateway.timeout)
    return {
        "matches": [match],
        "backendRefs": [backend(endpoint) | {"weight": weight} for endpoint, weight in model.endpoints],
        "timeouts": {"request": timeout, "backendRequest": timeout},
    }


def _object(policy: ir.Policy, name: str, span: ir.Span, rule: Body) -> Object:
    return make(
        GATEWAY_API,
        "HTTPRoute",
        name,
        span,
        namespace=policy.gateway.namespace,
        spec={"parentRefs": [parent(policy)], "rules": [rule]},
    )


def _grant(policy: ir.Policy, endpoint: ir.Endpoint, target: Body) -> Object:
    """One an endpoint, not one a namespace, so that another model's endpoint changes no file but its own."""
    return make(
        f"{GATEWAY_GROUP}/v1beta1",
        "ReferenceGrant",
        f"{policy.gateway.name}-to-{endpoint.object_name}",
        endpoint.span,
        namespace=endpoint.service.namespace,
        spec={
            "from": [{"group": GATEWAY_GROUP, "kind": "HTTPRoute", "namespace": policy.gateway.namespace}],
            "to": [{key: target[key] for key in ("group", "kind", "name")}],
        },
    )
