"""The stepwise rollout of the router by Argo Rollouts: a Rollout in the place of the Deployment, and its analysis.

The gateways send streams to one Service and cannot weight two of them, so a step is a number of pods: without traffic
routing, Argo Rollouts keeps old and new pods behind the Service in the proportion of the weight (argo-rollouts 1.9.1,
`utils/replicaset/canary.go`, `CalculateReplicaCountsForBasicCanary`).

At the end of a step one measurement judges the new pods by Prometheus. A measurement that satisfies neither condition
is inconclusive, and pauses the rollout; NaN satisfies none (`utils/evaluate/evaluate.go`, `EvaluateResult`). A query
without a result is an error, and aborts it.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.kinds import ARGO_GROUP, Wave
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common import router_models
from vsr_compiler.targets.common.workloads import selector

API = f"{ARGO_GROUP}/v1alpha1"
WHOLE = 100
CANDIDATE, STABLE = "{{args.candidate}}", "{{args.stable}}"
_WINDOW = "{{args.window}}"
_ARGUMENTS: list[Body] = [
    {"name": "candidate", "valueFrom": {"podTemplateHashValue": "Latest"}},
    {"name": "stable", "valueFrom": {"podTemplateHashValue": "Stable"}},
]
"""The hashes that the controller puts into the names of pods: `NAME-HASH-SUFFIX`."""
_ERRORS = ',reason!~"guard:.*"'
"""Answers of guards are no errors: they have a measurement of their own."""
_REQUESTS = "llm_model_routing_latency_seconds_count"


def template_name(router: ir.Router) -> str:
    """Return the name of the AnalysisTemplate."""
    return f"{router.grpc.name}-rollout"


def workload(router: ir.Router, deployment: Body) -> Body:
    """Return the spec of a Rollout for that of a Deployment."""
    rollout = router.rollout
    assert rollout is not None  # noqa: S101 - the caller asked
    strategy = deployment["strategy"]
    steps: list[Body] = []
    for step in rollout.steps:
        seconds = f"{step.pause // 1000}s"
        steps += [{"setWeight": step.weight}, {"pause": {"duration": seconds}}]
        if rollout.analysis is not None:
            arguments = [*_ARGUMENTS, {"name": "window", "value": seconds}]
            steps.append({"analysis": {"templates": [{"templateName": template_name(router)}], "args": arguments}})
    rest = {key: value for key, value in deployment.items() if key != "strategy"}
    return rest | {
        # An update whose pods do not get ready is undone, as one whose analysis fails.
        "progressDeadlineAbort": True,
        "strategy": {"canary": {**strategy.get("rollingUpdate", {}), "steps": steps}},
    }


def analysis(policy: ir.Policy) -> Iterator[Object]:
    """Yield the AnalysisTemplate, if the rollout measures anything."""
    router = policy.router
    found = None if router.rollout is None else router.rollout.analysis
    if found is None:
        return
    yield make(
        API,
        "AnalysisTemplate",
        template_name(router),
        found.span,
        namespace=router.grpc.namespace,
        spec={
            "args": [{"name": "candidate"}, {"name": "stable"}, {"name": "window"}],
            "metrics": [_metric(found, name, query, limit) for name, query, limit in _queries(policy, found)],
        },
    )


def _metric(found: ir.RolloutAnalysis, name: str, query: str, limit: float) -> Body:
    # Neither condition holds for NaN. A number without an exponent is read by every expression language.
    shown = f"{limit:.6f}".rstrip("0").rstrip(".")
    return {
        "name": name,
        "count": 1,
        "successCondition": f"result[0] <= {shown}",
        "failureCondition": f"result[0] > {shown}",
        "failureLimit": 0,
        "inconclusiveLimit": 0,
        "provider": {"prometheus": {"address": found.prometheus, "query": query}},
    }


def _queries(policy: ir.Policy, found: ir.RolloutAnalysis) -> Iterator[tuple[str, str, float]]:
    """Yield the name, query and greatest value of each measurement."""
    router = policy.router
    yield "errors", _enough(router, found, _above(router, "llm_request_errors_total", _ERRORS)), found.errors
    yield "shed", _enough(router, found, _share(router, "vsr_shed_requests_total", CANDIDATE)), found.shed
    if policy.guards:
        difference = f"abs({_above(router, 'vsr_guard_matches_total')})"
        yield "guard-hits", _enough(router, found, difference), found.guard_hits
    if found.latency is not None:
        buckets = _series(router, "llm_model_routing_latency_seconds_bucket", CANDIDATE)
        quantile = f"histogram_quantile(0.95, sum by (le) (increase({buckets})))"
        yield "latency", _enough(router, found, quantile), found.latency / 1000


def _series(router: ir.Router, metric: str, pods: str, more: str = "") -> str:
    name, namespace = router.grpc.name, router.grpc.namespace
    return f'{metric}{{namespace="{namespace}",pod=~"{name}-{pods}-[a-z0-9]+"{more}}}[{_WINDOW}]'


def _count(router: ir.Router, metric: str, pods: str, more: str = "") -> str:
    return f"sum(increase({_series(router, metric, pods, more)}))"


def _share(router: ir.Router, metric: str, pods: str, more: str = "") -> str:
    """Return events per request. A counter that has no series yet is 0; pods without requests give no number."""
    return f"({_count(router, metric, pods, more)} or vector(0)) / {_count(router, _REQUESTS, pods)}"


def _above(router: ir.Router, metric: str, more: str = "") -> str:
    return f"{_share(router, metric, CANDIDATE, more)} - {_share(router, metric, STABLE, more)}"


def _enough(router: ir.Router, found: ir.RolloutAnalysis, value: str) -> str:
    """Return a value that is NaN if there were too few requests, and nothing if the new pods are not scraped."""
    return f"{value} + 0 / ({_count(router, _REQUESTS, CANDIDATE)} >= bool {found.min_requests})"


def kinds_in(policy: ir.Policy) -> frozenset[str]:
    """Return the kinds of the router's workload in the environments of a policy, or of its base if it has none."""
    own = policy.router.rollout is not None
    found = {own if item.rollout is None else isinstance(item.rollout, ir.Rollout) for item in policy.environments} or {
        own
    }
    return frozenset("Rollout" if stepwise else "Deployment" for stepwise in found | {own})


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR592 for steps that the pods cannot follow, VSR593 for words that contradict a rollout, VSR315 and VSR619."""
    router, rollout = policy.router, policy.router.rollout
    if rollout is None:
        return
    if router.replicas == 0:
        return  # an environment that is off
    if isinstance(router.implementation, ir.SemanticRouter):
        message = "the semantic-router has none of the metrics and no metadata by which a rollout is judged"
        yield Diagnostic("VSR593", message, rollout.span, "Remove `rollout`, or use `engine: vsr-runtime`.")
    if router.reload == "hot":
        message = "with `reload: hot` all pods read a change at once, so there is nothing to roll out in steps"
        yield Diagnostic("VSR593", message, rollout.span, "Remove `reload: hot`, or `rollout`.")
    if router_models.rollout(policy)["type"] == "Recreate":
        message = "the router's one pod holds a GPU or a volume, so an old and a new one cannot run together"
        yield Diagnostic("VSR592", message, rollout.span, "Use more replicas, or an existing claim under `weights`.")
        return
    least = (router.autoscaling.min if router.autoscaling else None) or router.replicas
    for step in rollout.steps:
        if step.weight * least < WHOLE:
            message = f"the weight {step.weight} is less than one of {least} replicas, so more requests go to new pods"
            share = -(-WHOLE // least)
            hint = f"Use a weight of {share} or more, or {-(-WHOLE // step.weight)} replicas."
            yield Diagnostic("VSR592", message, step.span, hint)
    if rollout.analysis is None:
        message = "nothing judges the new pods: after the last pause they replace the old ones whatever they do"
        yield Diagnostic("VSR619", message, rollout.span, "Add `analysis: {prometheus: URL}`.")
    message = "the controller and the definitions of Argo Rollouts must be installed"
    yield Diagnostic("VSR315", message, rollout.span, _hint(rollout))


def _hint(rollout: ir.Rollout) -> str:
    if rollout.analysis is None:
        return "See docs/how-to/roll-out-in-steps.md."
    return "Add the component `monitoring`: Prometheus must scrape the pods. See docs/how-to/roll-out-in-steps.md."


def workload_kind(router: ir.Router) -> tuple[str, str]:
    """Return API version and kind of the router's workload."""
    return ("apps/v1", "Deployment") if router.rollout is None else (API, "Rollout")


def owner(router: ir.Router, origin: ir.Span, spec: Body, annotations: dict[str, str]) -> Object:
    """Return the Deployment of the router, or the Rollout in its place."""
    api, kind = workload_kind(router)
    name = router.grpc.name
    return make(
        api,
        kind,
        name,
        origin,
        namespace=router.grpc.namespace,
        labels=selector(name),
        wave=Wave.ROUTER,
        annotations=annotations,
        spec=spec if router.rollout is None else workload(router, spec),
    )
