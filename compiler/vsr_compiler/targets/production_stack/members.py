"""Which endpoints the production stack serves, and the policy as the gateway in front of it sees it.

The stack's router finds its servers by itself and chooses one by the model in the body. So the gateway knows one
Service for all of them.
"""

from __future__ import annotations

from dataclasses import replace

from vsr_compiler import ir

CHART = RELEASE = "vllm-stack"
"""The chart, and the name of its Helm release. Both are part of the names of its objects."""
ROUTER_PORT = 80


def members(policy: ir.Policy) -> list[ir.Endpoint]:
    """The endpoints that the stack runs. A stand-in for one is not among them: its chart can start vLLM only."""
    return [each for each in policy.endpoints if each.server is not None and not each.server.simulate]


def stack_service(found: list[ir.Endpoint]) -> ir.ServiceRef:
    """The chart's router, which stands where the first of the servers does."""
    return ir.ServiceRef(f"{RELEASE}-router-service", found[0].service.namespace, ROUTER_PORT)


def behind(policy: ir.Policy) -> ir.Policy:
    """The policy as the gateway sees it: one Service, whichever of the stack's servers a model runs on."""
    found = members(policy)
    if not found:
        return policy
    stack = ir.Endpoint(RELEASE, stack_service(found), ir.ExistingService(), found[0].span)
    names = {each.name for each in found}
    models = {id(model): replace(model, endpoints=_ways(model, names, stack)) for model in policy.models}
    moved: ir.Policy = ir.substitute(policy, models)
    others = [each for each in policy.endpoints if each.name not in names]
    return replace(moved, endpoints=tuple(sorted([*others, stack], key=lambda each: each.name)))


def _ways(model: ir.Model, names: set[str], stack: ir.Endpoint) -> tuple[tuple[ir.Endpoint, int], ...]:
    """The model's endpoints, those in the stack as one."""
    outside = [(each, weight) for each, weight in model.endpoints if each.name not in names]
    inside = [weight for each, weight in model.endpoints if each.name in names]
    both = [*outside, (stack, sum(inside))] if inside else outside
    return tuple(sorted(both, key=lambda pair: pair[0].name))
