"""Which endpoints the production stack serves, and the policy as the gateway in front of it sees it.

The stack's router finds its servers by itself and chooses one by the model in the body. So the gateway knows one
Service for all of them.
"""

from __future__ import annotations

from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.targets.common import vllm
from vsr_compiler.targets.common.server_pods import ServerPods, server_pods

CHART = RELEASE = "vllm-stack"
"""The chart, and the name of its Helm release. Both are part of the names of its objects."""
ROUTER_PORT = 80


def members(policy: ir.Policy) -> list[ir.Endpoint]:
    """Return the endpoints that the stack runs. Simulated ones are not included: the chart can start vLLM only."""
    return [endpoint for endpoint in policy.endpoints if endpoint.server is not None and not endpoint.server.simulate]


def stack_service(endpoints: list[ir.Endpoint]) -> ir.ServiceRef:
    """Return the Service of the stack's router, which is in the namespace of its servers."""
    return ir.ServiceRef(f"{RELEASE}-router-service", endpoints[0].service.namespace, ROUTER_PORT)


def engine_labels(policy: ir.Policy) -> dict[str, str]:
    """Return the labels of the pods of its servers, by which its router finds them, too."""
    return {"environment": policy.name, "release": RELEASE, "component": "engine"}


def monitored(policy: ir.Policy) -> list[ServerPods]:
    """Return the pods of model servers in a policy as the gateway sees it: those of the stack, and simulated ones."""
    own = [
        ServerPods(
            RELEASE,
            endpoint.service.namespace,
            engine_labels(policy),
            [{"path": "/metrics", "portNumber": vllm.PORT}],
            endpoint.span,
            ours=True,
        )
        for endpoint in policy.endpoints
        if endpoint.name == RELEASE and endpoint.service == stack_service([endpoint])
    ]
    return [*server_pods(policy), *own]


def behind(policy: ir.Policy) -> ir.Policy:
    """Return the policy as the gateway sees it: one Service for all servers of the stack."""
    endpoints = members(policy)
    if not endpoints:
        return policy
    # The stack's router sends the key on; all servers have the same one, see the checks.
    key = endpoints[0].api_key
    stack = ir.Endpoint(RELEASE, stack_service(endpoints), ir.ExistingService(), endpoints[0].span, api_key=key)
    names = {endpoint.name for endpoint in endpoints}
    models = {id(model): replace(model, endpoints=_endpoints(model, names, stack)) for model in policy.models}
    seen: ir.Policy = ir.substitute(policy, models)
    others = [endpoint for endpoint in policy.endpoints if endpoint.name not in names]
    return replace(seen, endpoints=tuple(sorted([*others, stack], key=lambda endpoint: endpoint.name)))


def _endpoints(model: ir.Model, names: set[str], stack: ir.Endpoint) -> tuple[tuple[ir.Endpoint, int], ...]:
    """Return the endpoints of a model, with those in the stack as one."""
    outside = [(endpoint, weight) for endpoint, weight in model.endpoints if endpoint.name not in names]
    inside = [weight for endpoint, weight in model.endpoints if endpoint.name in names]
    both = [*outside, (stack, sum(inside))] if inside else outside
    return tuple(sorted(both, key=lambda pair: pair[0].name))
