"""Health checks, run by the Lua that Argo CD speaks (5.1): healthy, progressing, degraded."""

from __future__ import annotations

from typing import Any

import pytest

from support.lua_health import run_check
from vsr_compiler import ir
from vsr_compiler.deploy.argocd.health import DEPLOYMENT, customizations, lua
from vsr_compiler.manifests.objects import Object, make
from vsr_compiler.targets import kinds
from vsr_compiler.targets.common.workloads import READY

POOL = ("inference.networking.k8s.io", "InferencePool")
PATCH = ("gateway.envoyproxy.io", "EnvoyPatchPolicy")
CLIENTS = ("gateway.envoyproxy.io", "ClientTrafficPolicy")
BUFFER = ("gateway.envoyproxy.io", "BackendTrafficPolicy")
ROUTE = ("aigateway.envoyproxy.io", "AIGatewayRoute")
GATEWAY = ("gateway.networking.k8s.io", "Gateway")
FILTER = ("networking.istio.io", "EnvoyFilter")
CHECKS = {kind.group_kind: check for kind in kinds().values() if (check := lua(kind.health)) is not None}


def health(kind: tuple[str, str], status: dict[str, Any] | None) -> tuple[str, str]:
    """What the check says of an object with this status."""
    return judged(CHECKS[kind], {} if status is None else {"status": status})


def judged(check: str, fields: dict[str, Any], **metadata: Any) -> tuple[str, str]:
    """What a check says of an object with these fields."""
    return run_check(check, {"metadata": {"name": "x", "generation": 2, **metadata}, **fields})


def condition(name: str, status: str, generation: int = 2, **more: str) -> dict[str, Any]:
    """A status condition."""
    return {"type": name, "status": status, "observedGeneration": generation, **more}


def ancestors(*conditions: dict[str, Any]) -> dict[str, Any]:
    """The status of a policy with one ancestor."""
    return {"ancestors": [{"conditions": list(conditions)}]}


ACCEPTED, PROGRAMMED = condition("Accepted", "True"), condition("Programmed", "True")
REFUSED = condition("Accepted", "False", message="no such listener")
CASES = [
    (FILTER, None, "Healthy"),
    (POOL, None, "Healthy"),
    (POOL, {"parents": [{"conditions": [condition("Accepted", "Unknown")]}]}, "Healthy"),
    (POOL, {"parents": [{"conditions": [ACCEPTED, condition("ResolvedRefs", "True")]}]}, "Healthy"),
    (POOL, {"parents": [{"conditions": [ACCEPTED]}, {"conditions": [condition("ResolvedRefs", "False")]}]}, "Degraded"),
    (PATCH, None, "Progressing"),
    (PATCH, ancestors(), "Progressing"),
    (PATCH, ancestors(ACCEPTED), "Healthy"),
    (PATCH, ancestors(ACCEPTED, PROGRAMMED), "Healthy"),
    (PATCH, ancestors(REFUSED), "Degraded"),
    (PATCH, ancestors(ACCEPTED, condition("Programmed", "False", reason="Invalid")), "Degraded"),
    (PATCH, ancestors(condition("Accepted", "True", generation=1)), "Progressing"),
    (PATCH, ancestors(condition("Accepted", "False", generation=1)), "Progressing"),
    (PATCH, {"ancestors": [{"conditions": [ACCEPTED]}, {"conditions": [REFUSED]}]}, "Degraded"),
    (PATCH, ancestors(ACCEPTED, PROGRAMMED, condition("Overridden", "True", message="by another")), "Degraded"),
    (CLIENTS, ancestors(ACCEPTED), "Healthy"),
    (CLIENTS, ancestors(ACCEPTED, condition("Overridden", "False")), "Healthy"),
    (CLIENTS, ancestors(ACCEPTED, condition("Overridden", "True", message="by [http]")), "Degraded"),
    (CLIENTS, ancestors(ACCEPTED, condition("Overridden", "True", generation=1)), "Healthy"),
    (CLIENTS, ancestors(condition("Accepted", "False", reason="Conflicted")), "Degraded"),
    (BUFFER, ancestors(ACCEPTED, condition("Conflicted", "True")), "Degraded"),
    (ROUTE, None, "Progressing"),
    (ROUTE, {"conditions": [condition("Accepted", "Unknown")]}, "Progressing"),
    (ROUTE, {"conditions": [ACCEPTED]}, "Healthy"),
    (ROUTE, {"conditions": [{"type": "Accepted", "status": "True"}]}, "Healthy"),
    (ROUTE, {"conditions": [REFUSED]}, "Degraded"),
]


@pytest.mark.parametrize(("kind", "status", "expected"), CASES)
def test_a_check_says_what_the_status_means(
    kind: tuple[str, str], status: dict[str, Any] | None, expected: str
) -> None:
    """Accepted is healthy, refused is degraded, and what speaks of an older generation does not count."""
    assert health(kind, status)[0] == expected


def test_a_rejection_is_reported_in_the_words_of_the_controller() -> None:
    """Argo CD shows the message beside the object."""
    assert health(ROUTE, {"conditions": [REFUSED]}) == ("Degraded", "Accepted: no such listener")


@pytest.mark.parametrize("kind", CHECKS)
def test_every_check_runs_on_an_object_that_was_just_created(kind: tuple[str, str]) -> None:
    """Without a status there is an answer, never an error."""
    assert health(kind, None)[0] in {"Healthy", "Progressing"}
    assert health(kind, {})[0] in {"Healthy", "Progressing"}


@pytest.mark.parametrize(
    "kind", [kind for kind in CHECKS if kinds()[kind].wave < kinds()[GATEWAY].wave], ids=lambda kind: kind[1]
)
def test_what_comes_before_the_gateway_never_waits_for_it(kind: tuple[str, str]) -> None:
    """Its controller may speak of it only once a route leads there: a wave that waits for that would never end."""
    assert health(kind, None)[0] == "Healthy"


def test_a_backend_that_its_controller_refuses_is_degraded() -> None:
    """Silence is no reason to wait, a refusal is one to stop."""
    backend = ("gateway.envoyproxy.io", "Backend")
    assert health(backend, {"conditions": [ACCEPTED]})[0] == "Healthy"
    assert health(backend, {"conditions": [REFUSED]}) == ("Degraded", "Accepted: no such listener")


HERE = ir.Span("policy.yaml")


def deployment(annotations: dict[str, str]) -> Object:
    """A Deployment with annotations."""
    return make("apps/v1", "Deployment", "x", HERE, namespace="x", annotations=annotations)


def test_only_kinds_that_are_emitted_get_into_the_settings() -> None:
    """The policy brings the checks that it needs."""
    found = [make(f"{FILTER[0]}/v1", FILTER[1], name, HERE, namespace="x") for name in "ab"]
    found.append(make("v1", "ConfigMap", "a", HERE, namespace="x"))
    assert list(customizations(found)) == ["resource.customizations.health.networking.istio.io_EnvoyFilter"]


def test_argo_cds_own_check_of_deployments_is_replaced_only_where_there_are_standbys() -> None:
    """It is everybody's, so it is touched for a reason."""
    assert customizations([deployment({})]) == {}
    assert customizations([deployment({}), deployment({READY: "1"})]) == {
        "resource.customizations.health.apps_Deployment": DEPLOYMENT
    }


LATE = [{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]
ROLLED_OUT = {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2}


@pytest.mark.parametrize(
    ("fields", "plain", "with_standby"),
    [
        ({}, "Progressing", "Progressing"),
        ({"spec": {"replicas": 2, "paused": True}}, "Suspended", "Suspended"),
        ({"status": ROLLED_OUT | {"observedGeneration": 1, "availableReplicas": 2}}, "Progressing", "Progressing"),
        ({"status": ROLLED_OUT | {"updatedReplicas": 1, "availableReplicas": 2}}, "Progressing", "Progressing"),
        ({"status": ROLLED_OUT | {"replicas": 3, "availableReplicas": 3}}, "Progressing", "Progressing"),
        ({"status": ROLLED_OUT}, "Progressing", "Progressing"),
        ({"status": ROLLED_OUT | {"availableReplicas": 1}}, "Progressing", "Healthy"),
        ({"status": ROLLED_OUT | {"availableReplicas": 1, "conditions": LATE}}, "Degraded", "Healthy"),
        ({"status": ROLLED_OUT | {"conditions": LATE}}, "Degraded", "Degraded"),
        ({"status": ROLLED_OUT | {"availableReplicas": 2}}, "Healthy", "Healthy"),
        ({"spec": {"replicas": 0}, "status": {"observedGeneration": 2}}, "Healthy", "Healthy"),
    ],
)
def test_standbys_that_are_never_ready_hold_up_no_wave(fields: dict[str, Any], plain: str, with_standby: str) -> None:
    """Of other Deployments the check says what Argo CD's own does."""
    fields = {"spec": {"replicas": 2}, **fields}
    assert judged(DEPLOYMENT, fields)[0] == plain
    assert judged(DEPLOYMENT, fields, annotations={READY: "1"})[0] == with_standby
