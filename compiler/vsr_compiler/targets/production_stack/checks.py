"""What the production stack ignores, what it cannot do, and how it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.targets.production_stack.members import CHART, RELEASE, members

MAX_NAME = 63 - len(f"{RELEASE}--engine-service")
"""The chart builds the name of a Service from the name of a server."""


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR311, VSR312 and VSR315: what the stack ignores, what it cannot do, and how it is installed."""
    found = members(policy)
    for endpoint in found:
        if endpoint.pool is not None:
            message = f"the pool of `{endpoint.name}` is ignored by the target production-stack, whose router balances"
            yield Diagnostic("VSR311", message, endpoint.pool.span, "Use the target ai-gateway for it to be pooled.")
    for endpoint in found:
        if endpoint.service.namespace != found[0].service.namespace:
            first = f"`{found[0].name}` in {found[0].service.namespace}"
            message = (
                f"`{endpoint.name}` is in {endpoint.service.namespace} and {first}, and a stack is in one namespace"
            )
            yield Diagnostic("VSR312", message, endpoint.span, "Give them one `namespace`.")
        if len(endpoint.object_name) > MAX_NAME:
            message = (
                f"`{endpoint.object_name}` is longer than the {MAX_NAME} characters that the stack's chart has room for"
            )
            yield Diagnostic("VSR312", message, endpoint.span, "Give the endpoint a shorter name.")
    for model in policy.models:
        inside = [(each, weight) for each, weight in model.endpoints if each in found]
        shares = {Fraction(weight, each.server.volume_holders) for each, weight in inside if each.server}
        if len(shares) > 1 and model.base is None:
            message = (
                f"the stack's router gives every replica of `{model.name}` the same, whatever its endpoint's weight"
            )
            hint = "Weigh the endpoints as they have replicas, or divide between two models by a route's `split`."
            yield Diagnostic("VSR312", message, model.span, hint)
    if found:
        where = found[0].service.namespace
        message = (
            f"the model servers come from the chart {CHART} {policy.versions['production-stack']}, installed by Helm"
        )
        hint = f"`helm install {RELEASE} vllm/{CHART} -n {where} -f helm/values-{CHART}.yaml`, before the first apply."
        yield Diagnostic("VSR315", message, found[0].span, hint)
