"""What agentgateway cannot do, what it weakens, and what the cluster must have."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.targets.agentgateway.gateway import DOWN
from vsr_compiler.targets.agentgateway.helm_values import CHART, CRD_CHART, NAMESPACE
from vsr_compiler.targets.common import helm
from vsr_compiler.targets.common.extproc import reads_responses
from vsr_compiler.targets.common.pools import POOL_PROJECT, crds_of_pools, with_existing
from vsr_compiler.targets.common.pools import declared as declared_pools

DOCS = "docs/reference/targets/agentgateway.md"


def router(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR355 for a router that could not vouch for its decisions, or that requests could get past."""
    if isinstance(policy.router.implementation, ir.SemanticRouter):
        message = "agentgateway cannot tell requests that semantic-router has decided from others"
        hint = "Use `engine: vsr-runtime`, which proves its decisions to the gateway; or another target."
        yield Diagnostic("VSR355", message, policy.router.span, hint)
    if policy.router.fails_open:
        message = "agentgateway has no way past a router that fails, for requests with a body"
        yield Diagnostic("VSR355", message, policy.router.span, "Use `onFailure: deny`, or another target.")


def weaker(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR354 for what other gateways guarantee, and this one does not."""
    message = f"while no router answers, agentgateway refuses requests with {DOWN}, as text, and not with 503"
    hint = f"Let clients retry {DOWN} as they do 503. See {DOCS} for what else differs."
    yield Diagnostic("VSR354", message, policy.router.span, hint)
    if reads_responses(policy):
        message = "if the router fails while it reads a response, agentgateway ends the body as if it were complete"
        hint = "Let clients check that a document can be parsed, and that a stream ends with its last event."
        yield Diagnostic("VSR354", message, policy.router.span, hint)


def attempts(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR324 for routes with several attempts."""
    for route in policy.retrying:
        if route.retry is not None:
            message = (
                f"agentgateway cannot make the attempts of route `{route.name}`: it repeats a request as it is, "
                "to groups of providers only"
            )
            hint = "Remove `fallback` and `retry`, or use another target."
            yield Diagnostic("VSR324", message, route.retry.span, hint)


def limits(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR337 for each limit that the gateway would have to count."""
    for limit in policy.limits:
        if limit.by_gateway:
            message = f"agentgateway cannot count the limit `{limit.name}`: each of its proxies would allow all of it"
            hint = "Use `countedBy: router`, or the target envoy-gateway or ai-gateway."
            yield Diagnostic("VSR337", message, limit.span, hint)


def pools(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 for a pool beside other endpoints, VSR311 for pools that are to serve without their picker."""
    for model in policy.models:
        pooled = [endpoint for endpoint, _ in model.endpoints if endpoint.pool or endpoint.existing_pool]
        if pooled and len(model.endpoints) > 1 and not any(endpoint.provider for endpoint, _ in model.endpoints):
            message = f"`{model.name}` has several endpoints, but `{pooled[0].name}` is a pool and must be the only one"
            hint = "Put all pods into one pool, or define two models and use a route's `split`."
            yield Diagnostic("VSR312", message, model.span, hint)
    for endpoint in policy.endpoints:
        if endpoint.pool is not None and endpoint.pool.failure_mode == "FailOpen":
            message = (
                f"`FailOpen` of `{endpoint.name}` is ignored: agentgateway would let clients choose the pod while the "
                "picker fails"
            )
            yield Diagnostic("VSR311", message, endpoint.pool.span, "For `FailOpen`, use the target gie or llm-d.")
        if (endpoint.pool or endpoint.existing_pool) and endpoint.api_key is not None:
            message = f"agentgateway sends no key to pools, but `{endpoint.name}` needs one"
            yield Diagnostic("VSR320", message, endpoint.span, "Remove `pool`, or use the target ai-gateway.")


def preflight(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315: the control plane and its CRDs must be installed, with our values."""
    versions = policy.versions
    release = versions["agentgateway"]
    pooled = with_existing(declared_pools)(policy)
    if not pooled and policy.installed_charts >= {CRD_CHART, CHART}:
        return
    values = f" with the values in the target's {helm.FOLDER}/values-{CHART}.yaml" if pooled else ""
    message = f"agentgateway {release} must be installed{values}, with its CRDs and those of the Gateway API"
    hint = f"Install the charts {CRD_CHART} and {CHART}: --version v{release} --namespace {NAMESPACE}."
    if pooled:
        hint += f" Install the CRDs of {', '.join(crds_of_pools(POOL_PROJECT, versions))} as well."
    yield Diagnostic("VSR315", message, policy.gateway.span, hint)
