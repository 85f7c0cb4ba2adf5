"""Links ``rollout``, and checks its steps."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema

MIN_MEASURED = 120_000
"""Milliseconds of the shortest step with an analysis: a rate needs several scrapes, and Prometheus scrapes each pod
every 30 s by default of the Prometheus operator, every minute by its own."""
SECOND = 1000


def link_rollout(scope: Scope, spec: schema.RolloutSpec | None, path: Path) -> ir.Rollout | None:
    """Return a rollout. VSR592 for steps that say nothing, VSR594 for a controller that cannot divide requests."""
    if spec is None:
        return None
    if spec.controller == "flagger":
        message = "Flagger has no way to send a share of the requests to new pods of the router"
        hint = "Use `argo-rollouts`: it changes the numbers of old and new pods behind one Service."
        scope.report("VSR594", message, (*path, "controller"), hint)
    steps: list[ir.RolloutStep] = []
    for index, step in enumerate(spec.steps):
        place = (*path, "steps", index)
        if steps and step.weight <= steps[-1].weight:
            message = f"the weight {step.weight} is not above that of the step before, {steps[-1].weight}"
            scope.report("VSR592", message, (*place, "weight"), "Order the steps by rising weights.")
        if step.pause % SECOND:
            scope.report("VSR592", "a pause has whole seconds", (*place, "pause"), "Use for example `90s` or `10m`.")
        if spec.analysis is not None and step.pause < MIN_MEASURED:
            message = "the step ends before its requests can be measured"
            scope.report("VSR592", message, (*place, "pause"), "Let it last two minutes or more.")
        steps.append(ir.RolloutStep(step.weight, step.pause, scope.span(*place)))
    return ir.Rollout(
        spec.controller, tuple(steps), _analysis(scope, spec.analysis, (*path, "analysis")), scope.span(*path, key=True)
    )


def _analysis(scope: Scope, spec: schema.RolloutAnalysisSpec | None, path: Path) -> ir.RolloutAnalysis | None:
    if spec is None:
        return None
    return ir.RolloutAnalysis(
        prometheus=spec.prometheus,
        min_requests=spec.min_requests,
        errors=spec.errors,
        shed=spec.shed,
        guard_hits=spec.guard_hits,
        latency=spec.latency,
        span=scope.span(*path, key=True),
    )
