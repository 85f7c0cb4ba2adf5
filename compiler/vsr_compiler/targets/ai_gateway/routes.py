"""AIGatewayRoutes: one per model, which matches the router's header and the model in the body.

One route per model, because AI Gateway names a backend by the position of its rule in the route. Its proxies learn the
names and its sidecar the backends at different times, so a rule that moves gets 500 until both agree. For the same
reason a model whose own endpoints change can get 500 for some seconds.

Both must match. AI Gateway reads the model from the body, which a client controls. Only the router sets the header,
since it is removed from every request of a client. So without the router nothing is routed.

AI Gateway adds a last rule to every route that responds with 404. Requests without a selected model get that response.
Only with `onFailure: default-model` is there a rule for requests that still name an auto model or the default model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.gateways import AI_GATEWAY, AiGateway
from vsr_compiler.targets.ai_gateway import backends
from vsr_compiler.targets.ai_gateway.costs import costs
from vsr_compiler.targets.common.gateway_api import decided, gateway_duration, parents
from vsr_compiler.targets.common.httproute import on_failure_name
from vsr_schemas.headers import AI_MODEL, SELECTED_MODEL

OWNER = "Envoy AI Gateway"
"""The default owner of a model in AI Gateway's list of models."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the route of each model."""
    release = AI_GATEWAY[policy.versions["envoy-ai-gateway"]]
    for model in policy.models:
        name = f"{policy.gateway.name}-{model.object_name}"
        yield _route(policy, model, name, _rule(policy, model, release), release)
    if policy.router.fails_open:
        # Clients may name the default, too. With a router, the rule that matches both headers is more specific.
        names = [*policy.router.auto_models, policy.default.served_name]
        matches = [_match({AI_MODEL: name}) for name in names]
        name = on_failure_name(policy)
        rule = _rule(policy, policy.default, release) | {"matches": matches} | _named(name, release)
        yield _route(policy, policy.default, name, rule, release)


def route_namespaces(policy: ir.Policy) -> set[str]:
    """Return the namespaces that routes of models can be in.

    A namespace without a model counts as long as the policy has the endpoint. A Gateway that no longer admits a
    namespace drops its routes, while routers still select their models.
    """
    return {backends.route_namespace(policy, endpoint) for endpoint in policy.endpoints}


def _namespace(policy: ir.Policy, model: ir.Model) -> str:
    """Return the namespace of a model's route. All endpoints of a model have the same one; see the checks."""
    return backends.route_namespace(policy, model.endpoints[0][0])


def _route(policy: ir.Policy, model: ir.Model, name: str, rule: Body, release: AiGateway) -> Object:
    return make(
        release.api,
        "AIGatewayRoute",
        name,
        model.span,
        namespace=_namespace(policy, model),
        spec={"parentRefs": parents(policy), "rules": [rule]} | costs(policy),
    )


def _named(name: str, release: AiGateway) -> Body:
    return {"name": name} if release.rule_names else {}


def _match(headers: Mapping[str, str]) -> Body:
    return {"headers": [{"type": "Exact", "name": name, "value": value} for name, value in headers.items()]}


def _rule(policy: ir.Policy, model: ir.Model, release: AiGateway) -> Body:
    timeout = gateway_duration(policy.gateway.timeout)
    return _named(model.object_name, release) | {
        "backendRefs": [
            backends.reference(endpoint, weight, model.served_name) for endpoint, weight in model.endpoints
        ],
        "matches": [{"headers": decided({AI_MODEL: model.served_name, SELECTED_MODEL: model.name})}],
        "modelsOwnedBy": OWNER,
        "timeouts": {"request": timeout, "backendRequest": timeout},
    }
