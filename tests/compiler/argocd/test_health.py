"""Health checks, run by the Lua that Argo CD speaks (5.1): healthy, progressing, degraded."""

from __future__ import annotations

from typing import Any

import pytest
from lupa import lua51

from compiler.argocd.health import CHECKS, customizations
from compiler.argocd.waves import WAVES

POOL = ("inference.networking.k8s.io", "InferencePool")
PATCH = ("gateway.envoyproxy.io", "EnvoyPatchPolicy")
ROUTE = ("aigateway.envoyproxy.io", "AIGatewayRoute")
GATEWAY = ("gateway.networking.k8s.io", "Gateway")
FILTER = ("networking.istio.io", "EnvoyFilter")


def health(kind: tuple[str, str], status: dict[str, Any] | None) -> tuple[str, str]:
    """What the check says of an object with this status, in a Lua without any library beyond Argo CD's."""
    lua = lua51.LuaRuntime(unpack_returned_tuples=True, register_eval=False)
    for name in ("os", "io", "package", "debug", "require", "dofile", "loadfile"):
        lua.globals()[name] = None
    obj: dict[str, Any] = {"metadata": {"name": "x", "generation": 2}}
    if status is not None:
        obj["status"] = status
    lua.globals()["obj"] = lua.table_from(obj, recursive=True)
    result = lua.execute(CHECKS[kind])
    return result["status"], result["message"]


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


def test_a_refusal_is_told_in_the_controllers_words() -> None:
    """Argo CD shows the message beside the object."""
    assert health(ROUTE, {"conditions": [REFUSED]}) == ("Degraded", "Accepted: no such listener")


@pytest.mark.parametrize("kind", CHECKS)
def test_every_check_runs_on_an_object_that_was_just_created(kind: tuple[str, str]) -> None:
    """Without a status there is an answer, never an error."""
    assert health(kind, None)[0] in {"Healthy", "Progressing"}
    assert health(kind, {})[0] in {"Healthy", "Progressing"}


@pytest.mark.parametrize("kind", [kind for kind in CHECKS if WAVES[kind] < WAVES[GATEWAY]], ids=lambda kind: kind[1])
def test_what_comes_before_the_gateway_never_waits_for_it(kind: tuple[str, str]) -> None:
    """Its controller may speak of it only once a route leads there: a wave that waits for that would never end."""
    assert health(kind, None)[0] == "Healthy"


def test_a_backend_that_its_controller_refuses_is_degraded() -> None:
    """Silence is no reason to wait, a refusal is one to stop."""
    backend = ("gateway.envoyproxy.io", "Backend")
    assert health(backend, {"conditions": [ACCEPTED]})[0] == "Healthy"
    assert health(backend, {"conditions": [REFUSED]}) == ("Degraded", "Accepted: no such listener")


def test_only_kinds_that_are_emitted_get_into_the_settings() -> None:
    """The policy brings the checks that it needs."""
    found = customizations([FILTER, ("", "ConfigMap"), FILTER])
    assert list(found) == ["resource.customizations.health.networking.istio.io_EnvoyFilter"]
