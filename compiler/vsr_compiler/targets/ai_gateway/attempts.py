"""Attempts on Envoy AI Gateway: backends with priorities, and a BackendTrafficPolicy that moves on to the next one.

AI Gateway writes the model's name, the key and the path for each attempt. So a route with several attempts has one more
AIGatewayRoute, whose rule lists all of its models.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.gateways import AI_GATEWAY, ENVOY_GATEWAY, AiGateway
from vsr_compiler.targets.ai_gateway import backends
from vsr_compiler.targets.ai_gateway.routes import OWNER
from vsr_compiler.targets.common.attempts import Chain, chains
from vsr_compiler.targets.common.gateway_api import decided, gateway_duration, parents
from vsr_compiler.targets.common.pools import declared, with_existing
from vsr_compiler.targets.envoy_gateway.gateway import ENVOY_API
from vsr_schemas.headers import CHAIN, SELECTED_MODEL

SERVER_ERRORS = (*range(500, 512), *range(520, 531), 598, 599)
"""The statuses of `5xx`: those of the registry and of proxies. Envoy's own `5xx` retries broken connections as well."""
MIN_BUDGET = 3


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield a route and a policy for each chain, and the backends that it needs in the namespace of its keys."""
    release = AI_GATEWAY[policy.versions["envoy-ai-gateway"]]
    moved: dict[str, ir.Endpoint] = {}
    for chain in chains(policy):
        namespace = _namespace(policy, chain)
        for model in models(chain):
            moved |= {
                endpoint.name: endpoint
                for endpoint, _ in model.endpoints
                if backends.route_namespace(policy, endpoint) != namespace
            }
        yield _route(policy, chain, namespace, release)
        yield _retries(policy, chain, namespace)
    for _, endpoint in sorted(moved.items()):
        yield from backends.backend(endpoint, policy.router.grpc.namespace, release)


def models(chain: Chain) -> list[ir.Model]:
    """Return the models of a chain in their order."""
    return [chain.first, *(model for model in chain.retry.models if model is not chain.first)]


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR324 for attempts that AI Gateway cannot make."""
    seen: set[str] = set()
    budgets = ENVOY_GATEWAY[policy.versions["envoy-gateway"]].retry_budgets
    for chain in chains(policy):
        if chain.route.name in seen:
            continue
        seen.add(chain.route.name)
        for reason, hint in _reasons(policy, chain, budgets=budgets):
            message = f"Agent Router cannot make the attempts of route `{chain.route.name}`: {reason}"
            yield Diagnostic("VSR324", message, chain.retry.span, hint)


def _reasons(policy: ir.Policy, chain: Chain, *, budgets: bool) -> Iterator[tuple[str, str]]:
    retry, pools = chain.retry, with_existing(declared)(policy)
    listed = [*(model for model, _ in chain.route.models), *retry.models]
    pooled = [endpoint.name for model in listed for endpoint, _ in model.endpoints if endpoint in pools]
    if pooled:
        other = "Remove the `pool` of the endpoint, or use the target gie or llm-d."
        yield f"`{pooled[0]}` is a pool, which must be the only backend of its rule", other
    families = {(model.reasoning.family, model.external) if model.reasoning is not None else None for model in listed}
    if len(families) > 1:
        yield (
            "its models differ in the fields that switch reasoning, and the body is the same for all",
            "Use models of one `reasoningFamily`, or another target.",
        )
    if "timeout" in retry.on and "reset" not in retry.on:
        yield (
            "Envoy Gateway's retries do not distinguish a timeout from a broken connection",
            "Add `reset` to `on`, or remove `timeout` and `firstByte`, or use another target.",
        )
    if retry.budget < 100 and not budgets:  # noqa: PLR2004 - per cent
        release = policy.versions["envoy-gateway"]
        yield f"Envoy Gateway {release} has no retry budget", "Remove `budget`, or use a newer release."


def _namespace(policy: ir.Policy, chain: Chain) -> str:
    """Return the namespace of a chain's route: that of the keys if it has providers."""
    namespaces = {
        backends.route_namespace(policy, endpoint) for model in models(chain) for endpoint, _ in model.endpoints
    }
    return namespaces.pop() if len(namespaces) == 1 else policy.router.grpc.namespace


def _name(policy: ir.Policy, chain: Chain) -> str:
    """Return the name of a chain's objects."""
    return f"{policy.gateway.name}-{ir.object_name(chain.name)}"


def _route(policy: ir.Policy, chain: Chain, namespace: str, release: AiGateway) -> Object:
    name = _name(policy, chain)
    references = [
        {
            "headerMutation": {"remove": [CHAIN]},
            "modelNameOverride": backends.name_at(endpoint, model.served_name),
            "name": endpoint.object_name,
            "priority": priority,
            "weight": weight,
        }
        for priority, model in enumerate(models(chain))
        for endpoint, weight in model.endpoints
    ]
    rule: Body = {
        "backendRefs": references,
        "matches": [{"headers": decided({SELECTED_MODEL: chain.name})}],
        "modelsOwnedBy": OWNER,
        "timeouts": {"request": gateway_duration(policy.gateway.timeout)},
    }
    rule |= {"name": name} if release.rule_names else {}
    return make(
        release.api,
        "AIGatewayRoute",
        name,
        chain.retry.span,
        namespace=namespace,
        spec={"parentRefs": parents(policy), "rules": [rule]},
    )


def _retries(policy: ir.Policy, chain: Chain, namespace: str) -> Object:
    """Return the policy of the HTTPRoute that AI Gateway makes. It keeps the request buffer of the Gateway's."""
    retry = chain.retry
    triggers = ["retriable-status-codes"] if {"5xx", "429"} & set(retry.on) else []
    triggers += ["connect-failure", "refused-stream"] if "connect" in retry.on else []
    triggers += ["reset"] if "reset" in retry.on else []
    statuses = [*([429] if "429" in retry.on else []), *(SERVER_ERRORS if "5xx" in retry.on else ())]
    on: Body = {"triggers": triggers} | ({"httpStatusCodes": statuses} if statuses else {})
    spec: Body = {
        "mergeType": "StrategicMerge",
        "retry": {"numAttemptsPerPriority": 1, "numRetries": retry.attempts - 1, "retryOn": on}
        | ({} if retry.first_byte is None else {"perRetry": {"timeout": gateway_duration(retry.first_byte)}}),
        "targetRefs": [{"group": GATEWAY_GROUP, "kind": "HTTPRoute", "name": _name(policy, chain)}],
    }
    if retry.budget < 100:  # noqa: PLR2004 - per cent
        budget = {"minRetryConcurrency": MIN_BUDGET, "percent": {"denominator": 100, "numerator": retry.budget}}
        spec["circuitBreaker"] = {"retryBudget": budget}
    return make(ENVOY_API, "BackendTrafficPolicy", _name(policy, chain), retry.span, namespace=namespace, spec=spec)
