"""One HTTPRoute per model, matched by the header that the router sets.

No route leads to a model without the router: a request without its decision gets 404. Only with
`onFailure: default-model` is there a route for requests without the header.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases import gateways as releases
from vsr_compiler.targets.common.gateway_api import GATEWAY_API, decided, gateway_duration, parents
from vsr_schemas.headers import SELECTED_MODEL

Backend = Callable[[ir.Endpoint], Body]
"""Returns the backendRef of an endpoint: group, kind, name and namespace, and a port if the kind has one."""


def emitter(backend: Backend) -> Callable[[ir.Policy], Iterator[Object]]:
    """Return the emitter of HTTPRoutes, and of ReferenceGrants for endpoints in other namespaces.

    Args:
        backend: How this target's routes refer to an endpoint.
    """

    def emit(policy: ir.Policy) -> Iterator[Object]:
        """Yield the routes and grants."""
        return routes(policy, backend)

    return emit


def route_namespaces(policy: ir.Policy) -> set[str]:
    """Return the namespaces of the routes."""
    return {policy.gateway.namespace}


def always(endpoint: ir.Endpoint) -> bool:
    """Return that the route of a provider sets its host and path."""
    del endpoint
    return True


def routes(policy: ir.Policy, backend: Backend, rewrites: Callable[[ir.Endpoint], bool] = always) -> Iterator[Object]:
    """Yield a route per model, and a grant per endpoint in another namespace.

    Args:
        policy: The policy.
        backend: How routes refer to an endpoint.
        rewrites: Whether the route of a provider sets its host and path.
    """
    for model in policy.models:
        yield _route(policy, model, backend, rewrites)
    if policy.router.fails_open:
        yield _fallback(policy, backend)
    used = {endpoint.name for model in policy.models for endpoint, _ in model.endpoints}
    for endpoint in policy.endpoints:
        if endpoint.name in used:
            target = backend(endpoint)
            if target.get("namespace", policy.gateway.namespace) != policy.gateway.namespace:
                yield _grant(policy, endpoint, target)


def service_backend(endpoint: ir.Endpoint) -> Body:
    """Return the backendRef of an endpoint's Service."""
    service = endpoint.service
    return {
        "group": "",
        "kind": "Service",
        "name": service.name,
        "namespace": service.namespace,
        "port": service.port,
    }


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 for a model with too many endpoints for one rule, or with a provider and other endpoints."""
    yield from _check_providers(policy)
    maximum = releases.GATEWAY_API[policy.versions["gateway-api"]].max_backends
    for model in policy.models:
        if len(model.endpoints) > maximum:
            message = (
                f"`{model.name}` has {len(model.endpoints)} endpoints, but a route rule can have at most {maximum}"
            )
            hint = "Put replicas behind one endpoint, or define two models and `split` between them."
            yield Diagnostic("VSR312", message, model.span, hint)


def _check_providers(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 for a model with a provider and other endpoints: host, path and key apply to the whole route."""
    for model in policy.models:
        external = [endpoint for endpoint, _ in model.endpoints if endpoint.provider is not None]
        if external and len(model.endpoints) > 1:
            outside = f"`{external[0].name}` is outside the cluster and must be the only one"
            message = f"`{model.name}` has several endpoints, but {outside}"
            hint = "Define one model per endpoint, and use a route's `split`."
            yield Diagnostic("VSR312", message, model.span, hint)


def _route(policy: ir.Policy, model: ir.Model, backend: Backend, rewrites: Callable[[ir.Endpoint], bool]) -> Object:
    provider = model.provider.provider if model.provider else None
    # A longer path takes precedence over a header, so a model's path must not be shorter than the fallback's.
    path = ir.API_PATH if policy.router.fails_open or (provider and provider.has_own_path) else "/"
    match: Body = {
        "path": {"type": "PathPrefix", "value": path},
        "headers": decided({SELECTED_MODEL: model.name}),
    }
    rule = _rule(policy, model, backend, match)
    if provider is not None:
        own = [_rewrite(provider)] if model.provider is not None and rewrites(model.provider) else []
        if filters := [*_hide(provider), *own]:
            rule["filters"] = filters
    return _object(policy, model.object_name, model.span, rule)


def _hide(provider: ir.Provider) -> Iterator[Body]:
    """Yield the filter that removes what the provider must not learn, after the route is chosen."""
    if provider.hidden_headers:
        yield {"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": list(provider.hidden_headers)}}


def _rewrite(provider: ir.Provider) -> Body:
    """Return the filter that sets the provider's host, and replaces the path prefix by the provider's."""
    body: Body = {"hostname": provider.host}
    if provider.has_own_path:
        body["path"] = {"type": "ReplacePrefixMatch", "replacePrefixMatch": provider.path}
    return {"type": "URLRewrite", "urlRewrite": body}


def _fallback(policy: ir.Policy, backend: Backend) -> Object:
    """Return the route to the default model, for requests without a decision of the router. It matches the API only."""
    match: Body = {"path": {"type": "PathPrefix", "value": ir.API_PATH}}
    rule = _rule(policy, policy.default, backend, match)
    return _object(policy, on_failure_name(policy), policy.router.span, rule)


def on_failure_name(policy: ir.Policy) -> str:
    """Return the name of the fallback route."""
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
        spec={"parentRefs": parents(policy), "rules": [rule]},
    )


def _grant(policy: ir.Policy, endpoint: ir.Endpoint, target: Body) -> Object:
    """Return the grant of an endpoint. One per endpoint, so that a new endpoint changes no other file."""
    return make(
        f"{GATEWAY_GROUP}/v1beta1",
        "ReferenceGrant",
        f"{policy.gateway.name}-to-{endpoint.object_name}",
        endpoint.span,
        namespace=target["namespace"],
        spec={
            "from": [{"group": GATEWAY_GROUP, "kind": "HTTPRoute", "namespace": policy.gateway.namespace}],
            "to": [{key: target[key] for key in ("group", "kind", "name")}],
        },
    )
