"""The Istio family on every golden policy: each target, at each profile, linked and fit for the CRDs."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from ruamel.yaml import YAML

from support import api_defaults, crds, rendering
from support.cases import GOLDEN, POLICIES, output_of, policy_file, policy_of
from support.common import ROOT, kubectl, linked, reference
from support.links import Links
from vsr_compiler import ir, targets
from vsr_compiler.deploy import overlays
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.objects import Object
from vsr_compiler.releases.known import RELEASES
from vsr_compiler.targets import profiles, render
from vsr_compiler.targets.attach.names import seen as attached_to
from vsr_compiler.targets.production_stack.members import behind

NOT_ATTACHED = (
    *(
        "cached",
        "external",
        "fallback",
        "homes",
        "identity",
        "limits",
        "placement",
        "providers",
        "reference",
        "stock-router",
    ),
    *("policies/agentgateway", "policies/envoy-gateway", "policies/guards"),
)
"""Cases with providers, keys, fallbacks, another router or counts of the gateway."""
CANNOT = {
    ("weighted", "gie"),  # a pool among weighted endpoints
    ("weighted", "llm-d"),
    ("disaggregated", "gie"),
    ("disaggregated", "ai-gateway"),
    ("homes", "gie"),
    ("homes", "llm-d"),
    ("disaggregated", "llm-d", "seed"),  # the older scheduler
    ("policies/guards", "ai-gateway"),  # a Secret whose key has a name of its own
    ("policies/guards", "production-stack"),
    ("providers", "ai-gateway", "seed"),
    ("providers", "production-stack", "seed"),
    ("placement", "ai-gateway", "seed"),  # a key for a pool
    # Tokens that the gateway counts.
    *(("limits", target) for target in ("istio", "gie", "llm-d", "envoy-gateway", "agentgateway")),
    *((case, "agentgateway") for case in ("cached", "disaggregated", "fallback", "stock-router")),
    ("placement", "agentgateway"),  # a key for a pool
    ("listeners", "agentgateway", "seed"),  # certificates of clients
    *((case, "attach") for case in NOT_ATTACHED),
    *(("policies/attach-kserve", target) for target in targets.TARGETS if target != "attach"),  # routes of others
    *(("attach", target) for target in targets.TARGETS if target in {"istio", "envoy-gateway"}),  # pools of others
}
"""Cases that a target refuses, some at one profile only."""


def seen(policy: ir.Policy, target: str) -> ir.Policy:
    """The policy as a target's gateway sees it: the production stack is a Service that its chart brings."""
    if target == "attach":
        return attached_to(policy)
    return behind(policy) if target == "production-stack" else policy


BROAD = ("external", "homes", "limits", "listeners", "placement", "providers", "reference")
"""Cases that have most kinds and fields; profiles between the oldest and the newest are checked by these."""
COMBINATIONS = [
    (case, target, profile)
    for case in (*GOLDEN, *POLICIES)
    for target in sorted(targets.TARGETS)
    for profile in sorted(profiles())
    if profile in {"seed", "current"} or case in BROAD
]


@pytest.mark.parametrize(("case", "target", "profile"), COMBINATIONS)
def test_a_policy_links_and_fits_the_crds_with_every_default_or_is_refused(
    case: str, target: str, profile: str
) -> None:
    """Every reference resolves, no field is unknown, and nothing is left for the API server to fill in."""
    policy = policy_of(case, profile)
    if (case, target) in CANNOT or (case, target, profile) in CANNOT:
        with pytest.raises(CompileError) as caught:
            rendering.objects(policy, target)
        codes = {item.code for item in caught.value.diagnostics}
        known = {"VSR312", "VSR320", "VSR321", "VSR324", "VSR337", "VSR343", "VSR355", "VSR360", "VSR361"}
        assert known & codes
        return
    found = rendering.objects(policy, target)
    fitting = [component for component in rendering.components(policy, target) if component.for_base]
    options = [item for component in fitting for item in component.objects]
    assert Links([item.body for item in [*found, *options]], seen(policy, target)).problems() == []
    kinds = fits(found + options, profiles()[profile])
    for item in (*found, *options):
        if item.kind not in kinds:
            assert api_defaults.defaulted(item.body) == item.body, item.path


def fits(found: list[Object], versions: Mapping[str, str]) -> set[str]:
    """The kinds that have a CRD, after each was held against that of its release."""
    others = ("prometheus-operator-v0.93.0", "cert-manager-v1.21.1", "keda-v2.20.2", "argo-rollouts-v1.9.1")
    folders = (*crds.folders(versions), *others)
    checked: set[str] = set()
    for body, schema in crds.custom((item.body for item in found), schemas(folders)):
        checked.add(body["kind"])
        object_of_releases = (folders, json.dumps(body))
        if object_of_releases not in FITTING:
            assert crds.problems(schema, body) == [], body["kind"]
            assert crds.defaulted(schema, body) == body, body["kind"]
            FITTING.add(object_of_releases)
    return checked


FITTING: set[tuple[tuple[str, ...], str]] = set()
"""Definitions and objects that fit: most objects are in the output of several targets and policies."""


@cache
def schemas(folders: tuple[str, ...]) -> dict[Any, Any]:
    """The schemas of a profile."""
    return crds.profile(reference(), *folders)


def other_releases() -> list[tuple[str, str]]:
    """The releases that targets know and no profile names, with their projects."""
    named = {(project, release) for versions in profiles().values() for project, release in versions.items()}
    known = {
        (project, release)
        for target in targets.TARGETS.values()
        for project in target.releases
        for release in target.tables.get(project) or RELEASES[project]
    }
    return sorted(known - named)


@pytest.mark.parametrize(("project", "release"), other_releases())
def test_a_release_outside_the_profiles_gets_what_its_crds_accept(project: str, release: str) -> None:
    """On every target that looks it up, with the newest profile that it goes together with. There is one for each."""
    fitted = 0
    for target in sorted(targets.TARGETS.keys() - {"attach"}):
        for profile in ("current", "2026-08", "seed"):
            versions = {**profiles()[profile], project: release}
            policy = replace(policy_of("two-models", profile), versions=versions)
            parts = targets.TARGETS[target].parts(policy)
            if project not in {name for part, _ in parts for name in part.releases}:
                continue
            rendered = render(targets.TARGETS[target], policy)
            if rendered.errors:
                assert {item.code for item in rendered.errors} <= {"VSR312", "VSR314"}
                continue
            fits(list(rendered.objects), versions)
            fitted += 1
            break
    assert fitted


@pytest.mark.parametrize("case", ["two-models", "lora", "disaggregated"])
def test_the_simulator_stands_in_for_every_server_of_ours(case: str) -> None:
    """`simulate` changes images and needs: names, ports, routes and pools stay, so all links hold."""
    policy = simulated(policy_of(case, "current"))
    for target in ("llm-d", "istio"):
        bodies = [item.body for item in rendering.objects(policy, target)]
        assert Links(bodies, policy).problems() == []
        text = str(bodies)
        assert "nvidia.com/gpu" not in text
        assert "vllm/vllm-openai" not in text
        assert "PersistentVolumeClaim" not in text
        assert "ghcr.io/llm-d/llm-d-inference-sim:v" in text


def simulated(policy: ir.Policy) -> ir.Policy:
    """The policy with the simulator in the place of each server."""
    moved = {
        each.name: replace(each, kind=replace(each.server, simulate=True)) if each.server else each
        for each in policy.endpoints
    }
    models = [
        replace(model, endpoints=tuple((moved[each.name], weight) for each, weight in model.endpoints))
        for model in policy.models
    ]
    return replace(policy, endpoints=tuple(moved.values()), models=tuple(models))


def test_forty_pools_have_names_of_their_own_and_a_model_more_touches_only_its_own_files() -> None:
    """Splitting is by model, so names are stable: what is new belongs to the new model, and nothing else changes."""
    before, after = (by_path(forty(count)) for count in (40, 41))
    new = set(after) - set(before)
    assert set(before) <= set(after)
    assert all("m40" in path for path in new)
    changed = {path for path in before if before[path].body != after[path].body}
    # Istio is told which pickers' clusters the gateway needs.
    assert changed == {path for path, item in before.items() if item.kind == "EnvoyFilter"}
    links = Links([item.body for item in after.values()], forty(41))
    assert links.problems() == []
    assert len(list(links.of("InferencePool"))) == 41


def forty(count: int) -> ir.Policy:
    """So many models, each on pods of its own."""
    names = [f"m{index:02}" for index in range(count)]
    endpoints = "".join(f"  {name}: {{pods: {{selector: {{app: {name}}}}}}}\n" for name in names)
    models = "".join(f"  {name}: {{endpoints: {name}}}\n" for name in names)
    return linked(
        "apiVersion: vsr.dev/v1alpha1\nkind: RoutingPolicy\nmetadata: {name: forty}\n"
        f'router: {{image: "r:1"}}\nendpoints:\n{endpoints}models:\n{models}default: m00\n'
    )


def by_path(policy: ir.Policy) -> dict[str, Object]:
    """The objects of the target llm-d by path."""
    return {item.path: item for item in rendering.objects(policy, "llm-d")}


def environments() -> list[tuple[str, str, str]]:
    """Return the environments of every case, with their targets."""
    return [
        (case, environment.target, environment.name)
        for case in (*GOLDEN, *POLICIES)
        for environment in policy_of(case, "current").environments
    ]


@pytest.mark.subprocess
@pytest.mark.parametrize(("case", "target", "environment"), environments())
def test_every_overlay_builds_and_links(case: str, target: str, environment: str) -> None:
    """What `kubectl kustomize` makes of base and patches is a whole that links, not only what we meant."""
    folder = output_of(case) / target / "overlays" / environment
    result = subprocess.run([kubectl(), "kustomize", str(folder)], capture_output=True, text=True, check=True)
    bodies = list(YAML(typ="safe").load_all(result.stdout))
    policy = linked(policy_file(case).read_text(encoding="utf-8"), case)
    chosen = next(item for item in policy.environments if item.name == environment)
    assert Links(bodies, seen(overlays.resolve(policy, chosen), target)).problems() == []


@pytest.mark.subprocess
@pytest.mark.parametrize(("case", "target"), sorted({(case, target) for case, target, _ in environments()}))
def test_kustomize_gives_back_every_file_of_a_base(case: str, target: str) -> None:
    """What is reviewed is what is applied, byte for byte: no name, list or scalar is altered on the way."""
    folder = output_of(case) / target / "base"
    result = subprocess.run([kubectl(), "kustomize", str(folder)], capture_output=True, text=True, check=True)
    files = [path for path in folder.rglob("*.yaml") if path.name != "kustomization.yaml"]
    texts = {path.read_text(encoding="utf-8").split("\n", 1)[1] for path in files}
    assert {document.strip("\n") + "\n" for document in result.stdout.split("\n---\n")} == texts


PREVENTED = {
    1: ("test_two_objects_of_one_name_are_refused",),
    2: ("test_forty_pools_have_names_of_their_own_",),
    3: ("test_a_picker_may_read_exactly_what_its_release_watches",),
    7: ("test_several_pools_need_an_istio_that_remembers_them",),
    9: ("test_metric_flags_are_set_where_they_must_be_and_left_out_where_they_are_refused",),
    11: (
        "test_the_filter_fails_closed_and_shares_its_numbers_with_the_router",
        "test_a_client_cannot_choose_the_route_by_the_header",
    ),
    16: ("test_a_picker_may_read_exactly_what_its_release_watches",),
    17: (
        "test_keys_are_files_of_the_router_and_nothing_else",
        "test_a_certificate_is_checked_for_the_name_of_the_host",
    ),
    28: ("test_the_way_to_the_picker_is_encrypted_and_wide_enough_for_streams",),
    36: ("test_the_local_stand_has_the_same_filter_headers_and_routes",),
    38: ("test_a_picker_may_read_exactly_what_its_release_watches",),
    39: ("test_booleans_are_one_argument_with_their_value",),
}
"""Tests that hold for the faults on the page, by number. A name may be the beginning of several."""
LINK_RULES = {4: "pickers", 5: "rules", 8: "selectors", 27: "names", 28: "pickers", 38: "bindings"}
"""Rules of `support.links` that find a fault."""


def test_every_fault_that_a_test_prevents_has_that_test_and_is_on_the_page() -> None:
    """The page for users says why; the tests that hold it are listed here."""
    page = (ROOT / "docs" / "reference" / "targets" / "istio.md").read_text(encoding="utf-8")
    numbers = {int(number) for number in re.findall(r"^\| (\d+)\. ", page, re.MULTILINE)}
    assert set(PREVENTED) | set(LINK_RULES) <= numbers
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = {name for names in PREVENTED.values() for name in names}
    assert len(named) >= 10
    assert [name for name in named if f"def {name}" not in sources] == []
    assert set(LINK_RULES.values()) <= set(dir(Links))
