"""Health checks in CEL for the kinds whose status Flux does not read, so that a step waits until its objects work.

`Kind.health` says which check a kind gets, as for Argo CD. Flux calls an object healthy that has no condition `Ready`
(kstatus). An expression that reads a field which the status does not have yet counts as "in progress"
(kustomize-controller 1.9.4, `docs/spec/v1/kustomizations.md`, "Health check expressions"), so an object without a
status waits. Kinds that may stay without one for good get no expression.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import assert_never

from vsr_compiler.manifests.kinds import (
    ARGO_GROUP,
    GATEWAY_GROUP,
    AlwaysHealthy,
    BuiltInHealth,
    GroupKind,
    HealthyByAncestors,
    HealthyByConditions,
    HealthyUnlessParentRejects,
    HealthyUnlessRejected,
    HealthyWhenAttached,
    Kind,
)
from vsr_compiler.manifests.objects import Body, Object
from vsr_compiler.targets import kinds
from vsr_compiler.targets.common.workloads import READY

_CURRENT = "(!has(c.observedGeneration) || c.observedGeneration in [0, metadata.generation])"
"""A condition about another generation says nothing; some controllers leave the generation out, or write 0."""


def _list(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _fails(names: tuple[str, ...], faults: tuple[str, ...] = ()) -> str:
    """Return whether a condition says that the object is refused; the spellings are those of `argocd.health`."""
    cases = [
        f"(c.type in [{_list(names)}] && c.status == 'False')",
        f"c.type in [{_list(f'Not{name}' for name in names)}]",
        f"(c.type == 'Invalid' && has(c.reason) && c.reason in [{_list(names)}])",
    ]
    if faults:
        cases.append(f"(c.type in [{_list(faults)}] && c.status == 'True')")
    return f"has(c.type) && {_CURRENT} && ({' || '.join(cases)})"


def _holds(name: str) -> str:
    return f"has(c.type) && {_CURRENT} && c.type == '{name}' && c.status == 'True'"


def _of_conditions(names: tuple[str, ...], refused: tuple[str, ...] | None = None) -> Body:
    return {
        "current": f"status.conditions.exists(c, {_holds(names[0])})",
        "failed": f"status.conditions.exists(c, {_fails(names if refused is None else refused)})",
    }


def _of_list(field: str, names: tuple[str, ...], faults: tuple[str, ...] = ()) -> Body:
    """Return the check of a status with conditions for each Gateway or route."""
    return {
        "current": f"size(status.{field}) > 0 && status.{field}.all(p, p.conditions.exists(c, {_holds(names[0])}))",
        "failed": f"status.{field}.exists(p, p.conditions.exists(c, {_fails(names, faults)}))",
    }


_ROUTE = _of_list("parents", ("Accepted", "ResolvedRefs"))
_SEEN = "status.observedGeneration == string(metadata.generation)"
"""Argo Rollouts writes the generation as a string (argo-rollouts 1.9.1, `pkg/apis/rollouts/v1alpha1/types.go`)."""
_ROLLOUT: Body = {
    "current": f"{_SEEN} && status.phase == 'Healthy'",
    "failed": f"{_SEEN} && status.phase == 'Degraded'",
}
_BUILT_IN: Mapping[GroupKind, Body] = MappingProxyType(
    {
        (GATEWAY_GROUP, "GatewayClass"): _of_conditions(("Accepted",)),
        # A Gateway that waits for its address is not programmed, which is no refusal.
        (GATEWAY_GROUP, "Gateway"): _of_conditions(("Programmed",), ("Accepted",)),
        (GATEWAY_GROUP, "HTTPRoute"): _ROUTE,
        (ARGO_GROUP, "Rollout"): _ROLLOUT,
    }
)
"""Kinds that Argo CD knows itself, and Flux does not."""

_READY = f"(has(metadata.annotations) && '{READY}' in metadata.annotations ? int(metadata.annotations['{READY}']) : "
DEPLOYMENT: Body = {
    "inProgress": "!has(status.observedGeneration) || status.observedGeneration < metadata.generation",
    "failed": "has(status.conditions) && status.conditions.exists(c, has(c.reason) && "
    "c.reason == 'ProgressDeadlineExceeded') && "
    f"!(has(status.availableReplicas) && status.availableReplicas >= {_READY}spec.replicas))",
    "current": "spec.replicas == 0 && !has(status.replicas) || has(status.updatedReplicas) && "
    "has(status.availableReplicas) && status.updatedReplicas >= spec.replicas && "
    "status.replicas <= status.updatedReplicas && "
    f"status.availableReplicas >= {_READY}status.updatedReplicas)",
}
"""Flux's own check of Deployments, except that replicas beyond the annotation may stay unready."""


def expressions(kind: Kind) -> Body | None:
    """Return the check of a kind; None if Flux needs none."""
    match kind.health:
        case BuiltInHealth():
            return _BUILT_IN.get(kind.group_kind)
        case AlwaysHealthy() | HealthyUnlessRejected() | HealthyUnlessParentRejects():
            return None
        case HealthyByConditions(conditions):
            return _of_conditions(conditions)
        case HealthyByAncestors(conditions, faults):
            return _of_list("ancestors", conditions, faults)
        case HealthyWhenAttached(accepted, attached, partly):
            whole = f"p.conditions.exists(c, {_holds(accepted)} && (!has(c.reason) || c.reason != '{partly}'))"
            in_force = f"p.conditions.exists(c, {_holds(attached)})"
            return {
                "current": f"size(status.ancestors) > 0 && status.ancestors.all(p, {whole} && {in_force})",
                "failed": f"status.ancestors.exists(p, p.conditions.exists(c, {_fails((accepted,))}))",
            }
        case _ as unreachable:
            assert_never(unreachable)


def checks(objects: Iterable[Object]) -> list[Body]:
    """Return the entries of `healthCheckExprs` for the kinds of these objects.

    Deployments get one only if one of them has standby replicas.
    """
    table = kinds()
    entries: dict[GroupKind, Body] = {}
    for item in objects:
        if item.group_kind not in entries and (check := expressions(table[item.group_kind])) is not None:
            entries[item.group_kind] = {"apiVersion": item.body["apiVersion"], "kind": item.kind, **check}
        if READY in item.body["metadata"].get("annotations", {}):
            entries["apps", "Deployment"] = {"apiVersion": "apps/v1", "kind": "Deployment", **DEPLOYMENT}
    return [entries[key] for key in sorted(entries)]
