"""Health expressions of Flux on every status that control planes write: they say what the checks of Argo CD say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from support.control_plane_statuses import GENERATION, STATUSES, Row
from vsr_compiler.deploy.flux.health import DEPLOYMENT, checks, expressions
from vsr_compiler.manifests.kinds import (
    AlwaysHealthy,
    HealthyUnlessParentRejects,
    HealthyUnlessRejected,
)
from vsr_compiler.targets import kinds
from vsr_compiler.targets.common.workloads import READY
from vsr_compiler.verify.schema.cel import Budget, CelError, compiled

FIELDS = ("metadata", "spec", "status")
UNREAD = (AlwaysHealthy, HealthyUnlessRejected, HealthyUnlessParentRejects)
GATEWAY_API = "gateway.networking.k8s.io"


def health(check: Mapping[str, str], obj: Mapping[str, Any]) -> str:
    """What Flux says of an object: expressions in their order; one that fails says that nothing is known yet.

    Source: fluxcd/pkg at v1.9.4 of kustomize-controller, runtime/cel/status_evaluator.go.
    """
    fields = tuple(name for name in FIELDS if name in obj)
    values = tuple(obj[name] for name in fields)
    for name, result in (("inProgress", "Progressing"), ("failed", "Degraded"), ("current", "Healthy")):
        if name in check:
            try:
                if compiled(check[name], FIELDS if len(fields) == len(FIELDS) else fields)(values, Budget(100_000)):
                    return result
            except (CelError, ValueError):
                return "Progressing"
    return "Progressing"


@pytest.mark.parametrize("row", STATUSES, ids=lambda row: f"{row.kind[1]}-{row.health}-{row.words or 'plain'}")
def test_flux_sees_what_argo_cd_sees(row: Row) -> None:
    """Of kinds that may stay without a status for good, Flux asks nothing: a step that waited would never end."""
    kind = kinds()[row.kind]
    check = expressions(kind)
    if isinstance(kind.health, UNREAD):
        assert check is None
        return
    assert check is not None
    obj = {"metadata": {"name": "x", "generation": GENERATION}, "spec": {}, "status": row.status}
    assert health(check, obj) == row.health, row.source


def condition(name: str, status: str, generation: int = GENERATION) -> dict[str, Any]:
    """A condition of the Gateway API."""
    return {"type": name, "status": status, "reason": name, "observedGeneration": generation}


ACCEPTED, PROGRAMMED = condition("Accepted", "True"), condition("Programmed", "True")
RESOLVED = condition("ResolvedRefs", "True")
BUILT_IN = [
    ("GatewayClass", {"conditions": [ACCEPTED]}, "Healthy"),
    ("GatewayClass", {"conditions": [condition("Accepted", "Unknown")]}, "Progressing"),
    ("Gateway", {"conditions": [ACCEPTED, PROGRAMMED]}, "Healthy"),
    ("Gateway", {"conditions": [ACCEPTED, condition("Programmed", "False")]}, "Progressing"),
    ("Gateway", {"conditions": [condition("Accepted", "False")]}, "Degraded"),
    ("Gateway", {"conditions": [ACCEPTED, condition("Programmed", "True", 1)]}, "Progressing"),
    ("Gateway", {}, "Progressing"),
    ("HTTPRoute", {"parents": [{"conditions": [ACCEPTED, RESOLVED]}]}, "Healthy"),
    ("HTTPRoute", {"parents": [{"conditions": [condition("Accepted", "True", 1), RESOLVED]}]}, "Progressing"),
    ("HTTPRoute", {"parents": [{"conditions": [ACCEPTED, condition("ResolvedRefs", "False")]}]}, "Degraded"),
    ("HTTPRoute", {"parents": []}, "Progressing"),
]


@pytest.mark.parametrize(("kind", "status", "expected"), BUILT_IN)
def test_a_gateway_and_its_routes_are_awaited(kind: str, status: dict[str, Any], expected: str) -> None:
    """Flux by itself calls a route healthy that no controller has seen, and would go on to the router."""
    check = expressions(kinds()[GATEWAY_API, kind])
    assert check is not None
    assert health(check, {"metadata": {"generation": GENERATION}, "spec": {}, "status": status}) == expected


def test_what_has_no_status_yet_is_in_progress() -> None:
    """As it is just after it was applied."""
    for kind in kinds().values():
        if (check := expressions(kind)) is not None:
            assert health(check, {"metadata": {"generation": GENERATION}, "spec": {}}) == "Progressing"


READY_OF_ONE = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 1}
ROLLING = {"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2}
LATE = {"conditions": [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]}


@pytest.mark.parametrize(
    ("ready", "status", "expected"),
    [
        ("1", READY_OF_ONE, "Healthy"),
        (None, READY_OF_ONE, "Progressing"),
        ("1", READY_OF_ONE | LATE, "Healthy"),
        (None, READY_OF_ONE | LATE, "Degraded"),
        ("1", ROLLING, "Progressing"),
        ("1", READY_OF_ONE | {"observedGeneration": 1}, "Progressing"),
        ("1", {"observedGeneration": 2}, "Progressing"),
        ("1", {}, "Progressing"),
    ],
)
def test_standby_pickers_hold_nothing_back(ready: str | None, status: dict[str, Any], expected: str) -> None:
    """Of a picker with two replicas one is ready at a time."""
    annotations = {"annotations": {READY: ready}} if ready else {}
    obj = {"metadata": {"generation": 2, **annotations}, "spec": {"replicas": 2}, "status": status}
    assert health(DEPLOYMENT, obj) == expected


def test_each_group_and_kind_has_one_expression() -> None:
    """Flux refuses a Kustomization with two."""
    assert checks([]) == []
