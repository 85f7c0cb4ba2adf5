"""AIGatewayRoutes: a rule a model, on the name that the router chose and on the one that it wrote into the body.

Both must hold. AI Gateway reads the body and would take a client's word for the model; only the router sets the other,
which is taken off every request as it comes in. So where the router is not asked, nothing is routed.

AI Gateway itself adds a last rule to every route that answers 404, and so does a request without a selected model end.
Only where the policy says `onFailure: default-model` is there a rule for what still bears a name of the router's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.gateway import AI_GATEWAY, AiGateway
from vsr_compiler.targets.ai_gateway import backends
from vsr_compiler.targets.common.gateway_api import gateway_duration, parent
from vsr_compiler.targets.common.httproute import on_failure_name
from vsr_schemas.headers import AI_MODEL, SELECTED_MODEL

OWNER = "Envoy AI Gateway"
"""Who owns a model, as its list of models says unless told otherwise."""


def emit(policy: ir.Policy) -> Iterator[Object]:
    """The routes of each namespace, as many as the rules need."""
    release = AI_GATEWAY[policy.versions["envoy-ai-gateway"]]
    for namespace in sorted(homes(policy)):
        here = [model for model in policy.models if _home(policy, model) == namespace]
        for suffix, models in split(here, release.max_rules):
            rules = [_rule(policy, model, release) for model in models]
            yield _route(policy, f"{policy.gateway.name}{suffix}", namespace, rules, release)
    if policy.router.fails_open:
        matches = [_match({AI_MODEL: name}) for name in policy.router.auto_models]
        name = on_failure_name(policy)
        rule = _rule(policy, policy.default, release) | {"matches": matches} | _named(name, release)
        yield _route(policy, name, _home(policy, policy.default), [rule], release)


def homes(policy: ir.Policy) -> set[str]:
    """The namespaces in which routes stand."""
    return {_home(policy, model) for model in policy.models}


def split(models: Sequence[ir.Model], most: int, bits: str = "") -> Iterator[tuple[str, list[ir.Model]]]:
    """Models in groups of at most so many, each with the suffix of its route's name: "", or "-" and bits.

    Which group a model is in depends on the hash of its name alone. So a new model changes one route, or parts one that
    is full into two; counting off by the alphabet would move the models behind it from route to route.
    """
    if len(models) <= most:
        yield (f"-{bits}" if bits else ""), list(models)
        return
    halves: dict[str, list[ir.Model]] = {"0": [], "1": []}
    for model in models:
        halves[_bit(model.name, len(bits))].append(model)
    for bit, half in halves.items():
        if half:
            yield from split(half, most, bits + bit)


def _bit(name: str, index: int) -> str:
    return f"{int(hashlib.sha256(name.encode()).hexdigest(), 16):0256b}"[index]


def _home(policy: ir.Policy, model: ir.Model) -> str:
    """Endpoints of different homes are never one model's: a pool and a provider stand alone in their rules."""
    return backends.home(policy, model.endpoints[0][0])


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
        "matches": [_match({AI_MODEL: model.provider_model or model.name, SELECTED_MODEL: model.name})],
        "modelsOwnedBy": OWNER,
        "timeouts": {"request": timeout, "backendRequest": timeout},
    }
