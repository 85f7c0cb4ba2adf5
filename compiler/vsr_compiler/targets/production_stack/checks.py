"""What the production stack ignores, what it cannot do, and how it is installed."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.targets.production_stack import placement
from vsr_compiler.targets.production_stack.members import CHART, RELEASE, members

MAX_NAME = 63 - len(f"{RELEASE}--engine-service")
"""The chart builds the name of a Service from the name of a server."""


def check_servers(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR320 for servers with different keys, VSR322 and VSR311 for placement that the chart has no field for."""
    endpoints = members(policy)
    for endpoint in endpoints:
        if endpoint.server is not None:
            yield from placement.check(endpoint, endpoint.server)
        if endpoint.api_key != endpoints[0].api_key:
            message = f"`{endpoints[0].name}` and `{endpoint.name}` have different keys, but a stack has one for all"
            yield Diagnostic("VSR320", message, endpoint.span, "Give all servers of the stack the same `apiKey`.")


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR311 for settings that the stack ignores, VSR312 for what it cannot do, VSR315 for its installation."""
    endpoints = members(policy)
    for endpoint in endpoints:
        if endpoint.pool is not None:
            message = f"the pool of `{endpoint.name}` is ignored: the router of the target production-stack balances"
            yield Diagnostic("VSR311", message, endpoint.pool.span, "To use the pool, choose the target ai-gateway.")
    for endpoint in endpoints:
        if endpoint.service.namespace != endpoints[0].service.namespace:
            first = f"`{endpoints[0].name}` in {endpoints[0].service.namespace}"
            message = f"`{endpoint.name}` is in {endpoint.service.namespace} and {first}, but a stack has one namespace"
            yield Diagnostic("VSR312", message, endpoint.span, "Give them one `namespace`.")
        if len(endpoint.object_name) > MAX_NAME:
            message = f"`{endpoint.object_name}` is longer than the {MAX_NAME} characters that the stack's chart allows"
            yield Diagnostic("VSR312", message, endpoint.span, "Give the endpoint a shorter name.")
    for model in policy.models:
        inside = [(endpoint.server, weight) for endpoint, weight in model.endpoints if endpoint in endpoints]
        shares = {Fraction(weight, server.volume_holders) for server, weight in inside if server}
        if len(shares) > 1 and model.base is None:
            message = f"the stack's router gives every replica of `{model.name}` an equal share and ignores weights"
            hint = "Make the weights proportional to the replicas, or define two models and use a route's `split`."
            yield Diagnostic("VSR312", message, model.span, hint)
    if endpoints and CHART not in policy.installed_charts:
        where = endpoints[0].service.namespace
        release = policy.versions["production-stack"]
        message = f"the chart {CHART} {release}, which runs the model servers, must be installed by Helm"
        hint = (
            f"Run `helm install {RELEASE} vllm/{CHART} -n {where} -f helm/values-{CHART}.yaml`, before the first apply."
        )
        yield Diagnostic("VSR315", message, endpoints[0].span, hint)
