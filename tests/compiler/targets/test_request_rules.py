"""What pickers, sidecars and gateways make of a request, on the output of every target: headers, size and path.

The rules are those of `support.consumers`. A fault that is put back into the objects must be seen.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.consumers import checks, edits, facts, probes
from support.consumers.compiled import cases, data_of, environments, objects, router_of, settings_at, with_keys
from support.consumers.machine import MachineRouter
from vsr_schemas.headers import STRIPPED


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key for every endpoint that wants one."""
    return with_keys(tmp_path_factory.mktemp("credentials"))


@pytest.mark.parametrize(("case", "target", "profile"), list(cases()))
def test_no_header_of_a_client_is_obeyed(case: str, target: str, profile: str, keys: Path) -> None:
    """Pickers, sidecars and gateways get no header from a client that they act on, and models none that we strip."""
    bodies = objects(case, target, profile)
    # A ClientTrafficPolicy of the older release removes 64 names. The last ones of the table have no effect there.
    names = STRIPPED if profile == "current" else STRIPPED[:64]
    assert list(checks.headers(bodies, router_of(case, keys), data_of(case)["models"], names)) == []


@pytest.mark.parametrize(("case", "target", "profile"), list(environments()))
def test_a_body_reaches_its_model_or_gets_413(case: str, target: str, profile: str, keys: Path, tmp_path: Path) -> None:
    """Between the limit of a picker and `maxBody` a client is told that the body is too long, not an empty 500."""
    bodies, data = objects(case, target, profile), data_of(case)
    settings = settings_at(case, target, keys, tmp_path)
    router, limit = MachineRouter(settings), settings.limits.maxBody
    found = checks.bodies_of_size(bodies, router, data["models"], limit, guarded="guards" in data)
    assert list(found) == []


@pytest.mark.parametrize(("case", "target", "profile"), list(environments()))
def test_no_picker_refuses_a_path_that_the_router_passes_on(
    case: str, target: str, profile: str, keys: Path, tmp_path: Path
) -> None:
    """What a picker cannot read, the router refuses in the form of the API."""
    bodies, router = objects(case, target, profile), MachineRouter(settings_at(case, target, keys, tmp_path))
    assert list(checks.paths(bodies, router, data_of(case)["models"])) == []


POOLS, LLM_D = ("external", "gie"), ("external", "llm-d")
HOMES = {"inference-extension": POOLS, "llm-d-router": LLM_D, "sidecar": ("disaggregated", "llm-d"), "pool": POOLS}


@pytest.mark.parametrize("row", facts.OBEYED, ids=lambda row: f"{row.component}-{row.header}")
def test_a_header_that_is_not_removed_is_seen(row: facts.Obeyed, keys: Path) -> None:
    """Every header of the table has its effect if the gateway lets it through."""
    case, target = HOMES[row.component]
    bodies = edits.without_header_removal(row.header)(objects(case, target, "2026-08"))
    if row.component == "pool":
        # A picker overwrites its own header.
        bodies = edits.without_pickers(bodies)
    found = list(checks.headers(bodies, router_of(case, keys), data_of(case)["models"]))
    assert any(f"{row.component} obeys {row.header}" in problem for problem in found), found


@pytest.mark.parametrize("target", ["gie", "llm-d"])
def test_a_limit_that_nobody_enforces_is_seen(target: str) -> None:
    """With the gateway and the router at 8 MiB and a picker at its default, a client gets an empty 500."""
    bodies = edits.together(edits.pickers_without_flag, edits.wide_gateway)(objects("external", target, "2026-08"))
    router = probes.PlainRouter({"llama": ("llama", None)})
    found = list(checks.bodies_of_size(bodies, router, ["llama"], 8 * facts.MIB, guarded=False))
    assert found == ["llama, 4.1 MiB: 500 by envoy.filters.http.ext_proc"]


def test_a_path_that_nobody_refuses_is_seen() -> None:
    """A router that passes every API on leaves the answer to the picker of the inference extension."""
    router = probes.PlainRouter({"llama": ("llama", None)})
    found = list(checks.paths(objects("external", "gie", "2026-08"), router, ["llama"]))
    assert "llama, /v1/messages: 400 by envoy.filters.http.ext_proc" in found
    assert "llama, /v1/chat/completions?x=1: 400 by envoy.filters.http.ext_proc" in found
    assert list(checks.paths(objects("external", "llm-d", "current"), router, ["llama"])) == []
