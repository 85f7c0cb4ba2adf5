"""Compares the replicas that environments set with the bounds of autoscaling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema

ROUTER = "router"


def check_replicas(scope: Scope, policy: schema.PolicySpec) -> None:
    """VSR268 if an environment sets more replicas than the autoscaler, which owns their number, allows."""
    bounds = {name: spec.vllm.autoscaling for name, spec in policy.endpoints.items() if spec.vllm is not None}
    bounds[ROUTER] = policy.router.autoscaling
    for path, replicas in _replicas(policy):
        for name, number in replicas.items():
            own = bounds.get(name)
            if own is not None and number > own.max:
                message = f"{number} replicas are more than `autoscaling.max` of `{name}`, {own.max}"
                hint = "Raise `max`, or lower `replicas`: the autoscaler would remove the pods above it."
                scope.report("VSR268", message, (*path, name), hint)


def _replicas(policy: schema.PolicySpec) -> Iterator[tuple[Path, Mapping[str, int]]]:
    for name, environment in policy.environments.items():
        yield ("environments", name, "replicas"), environment.replicas
        for cluster, own in (environment.clusters or {}).items():
            yield ("environments", name, "clusters", cluster, "replicas"), own.replicas
