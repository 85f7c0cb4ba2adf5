"""AIGatewayRoutes: one rule per model, which matches the router's header and the model in the body.

Both must match. AI Gateway reads the model from the body, which a client controls. Only the router sets the header,
since it is removed from every request of a client. So without the router nothing is routed.

AI Gateway adds a last rule to every route that responds with 404. Requests without a selected model get that response.
Only with `onFailure: default-model` is there a rule for requests that still name an auto model or the default model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.gateways import AI_GATEWAY, AiGateway
from vsr_compiler.targets.ai_gateway import backends
from vsr_compiler.targets.common.gateway_api import decided, gateway_duration, parent
from vsr_compiler.targets.common.httproute import on_failure_name
from vsr_schemas.headers import AI_MODEL, SELECTED_MODEL

OWNER = "Envoy AI Gateway"
"""The default owner of a model in AI Gateway's list of models."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the routes of each namespace, as many as the number of rules requires."""
    release = AI_GATEWAY[policy.versions["envoy-ai-gateway"]]
    for namespace in sorted(route_namespaces(policy)):
        local = [model for model in policy.models if _namespace(policy, model) == namespace]
        for suffix, models in split(local, release.max_rules):
            rules = [_rule(policy, model, release) for model in models]
            yield _route(policy, f"{policy.gateway.name}{suffix}", namespace, rules, release)
    if policy.router.fails_open:
        # Clients may name the default, too. With a router, the rule that matches both headers is more specific.
        names = [*policy.router.auto_models, policy.default.served_name]
        matches = [_match({AI_MODEL: name}) for name in names]
        name = on_failure_name(policy)
        rule = _rule(policy, policy.default, release) | {"matches": matches} | _named(name, release)
        yield _route(policy, name, _namespace(policy, policy.default), [rule], release)


def route_namespaces(policy: ir.Policy) -> set[str]:
    """Return the namespaces of the routes."""
    return {_namespace(policy, model) for model in policy.models}


def split(models: Sequence[ir.Model], size: int, bits: str = "") -> Iterator[tuple[str, list[ir.Model]]]:
    """Yield groups of at most ``size`` models, each with the suffix of its route's name: "", or "-" and bits.

    The group of a model depends only on the hash of its name. So a new model changes one route, or splits a full one in
    two. Groups in alphabetical order would move models from route to route.
    """
    if len(models) <= size:
        yield (f"-{bits}" if bits else ""), list(models)
        return
    halves: dict[str, list[ir.Model]] = {"0": [], "1": []}
    for model in models:
        halves[_bit(model.name, len(bits))].append(model)
    for bit, half in halves.items():
        if half:
            yield from split(half, size, bits + bit)


def _bit(name: str, index: int) -> str:
    return f"{int(hashlib.sha256(name.encode()).hexdigest(), 16):0256b}"[index]


def _namespace(policy: ir.Policy, model: ir.Model) -> str:
    """Return the namespace of a model's route. All endpoints of a model have the same one; see the checks."""
    return backends.route_namespace(policy, model.endpoints[0][0])


def _route(policy: ir.Policy, name: str, namespace: str, rules: list[Body], release: AiGateway) -> Object:
    return make(
        release.api,
        "AIGatewayRoute",
        name,
        policy.gateway.span,
        namespace=namespace,
        spec={"parentRefs": [parent(policy)], "rules": rules},
    )


def _named(name: str, release: AiGateway) -> Body:
    return {"name": name} if release.rule_names else {}


def _match(headers: Mapping[str, str]) -> Body:
    return {"headers": [{"type": "Exact", "name": name, "value": value} for name, value in headers.items()]}


def _rule(policy: ir.Policy, model: ir.Model, release: AiGateway) -> Body:
    timeout = gateway_duration(policy.gateway.timeout)
    return _named(model.object_name, release) | {
        "backendRefs": [backends.reference(endpoint, weight) for endpoint, weight in model.endpoints],
        "matches": [{"headers": decided({AI_MODEL: model.served_name, SELECTED_MODEL: model.name})}],
        "modelsOwnedBy": OWNER,
        "timeouts": {"request": timeout, "backendRequest": timeout},
    }
