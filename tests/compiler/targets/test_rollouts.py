"""The order of a change: what the router may select exists before the router selects it, and goes after it stopped."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from support.cases import policy_of
from support.common import ROOT, linked
from support.gitops_support import bodies, build, compiled, written
from support.rollouts.versions import identity
from vsr_compiler import targets
from vsr_compiler.deploy.argocd import waved
from vsr_compiler.deploy.argocd.waves import ANNOTATION
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.environment_changes import environment_changes
from vsr_compiler.review.rollout.two_steps import two_steps
from vsr_compiler.targets import render
from vsr_schemas.reports_diff import RolloutChange

Body = Mapping[str, Any]
TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: shop}
router: {image: "r:1"}
gateway: {namespace: edge}
endpoints:
  alpha: {vllm: {}}
  beta: {vllm: {}, pool: {picker: {}}}
models:
  alpha-8b: {checkpoint: example/alpha, endpoints: alpha}
  beta-8b: {checkpoint: example/beta, endpoints: beta}
signals:
  sums: {keywords: ["sum"]}
routes: [{name: sums, when: {signal: sums}, model: beta-8b}]
default: alpha-8b
"""
HOT = TEXT.replace('image: "r:1"', 'image: "r:1", reload: hot')
RENAMED = (("beta-8b", "gamma-8b"), ("example/beta", "example/gamma"), ("beta", "gamma"))
WORDS = (('["sum"]', '["sum", "total"]'),)


def changed(text: str, changes: tuple[tuple[str, str], ...]) -> str:
    """The text after each replacement."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return text


def objects(text: str, target: str) -> dict[tuple[str, str], Body]:
    """What is applied, by kind and name."""
    text = f"{text}environments: {{it: {{target: {target}}}}}\n"
    return {(item.kind, item.name): item.body for item in compiled(linked(text)).environments["it"]}


def wave(body: Body) -> int:
    """The sync wave of an object."""
    return int(body["metadata"].get("annotations", {}).get(ANNOTATION, 0))


def router(found: Mapping[tuple[str, str], Body]) -> tuple[Body, Body]:
    """The router's Deployment and ConfigMap."""
    deployment = found["Deployment", "semantic-router"]
    volumes = {volume["name"]: volume for volume in deployment["spec"]["template"]["spec"]["volumes"]}
    return deployment, found["ConfigMap", volumes["config"]["configMap"]["name"]]


@pytest.mark.parametrize("target", sorted(targets.TARGETS.keys() - {"attach"}))  # its servers and routes are others'
def test_servers_come_before_routes_and_routes_before_the_router(target: str) -> None:
    """Argo CD waits for each wave, so the router selects a model only when its route and its server are there."""
    applied = [item.body for item in waved(render(targets.TARGETS[target], policy_of("reference", "current")).objects)]
    routers = [body for body in applied if body["metadata"]["name"].startswith("semantic-router")]
    of_router = {wave(body) for body in routers if body["kind"] in {"Deployment", "ConfigMap"}}
    workloads = {wave(body) for body in applied if body["kind"] == "Deployment" and body not in routers}
    routes = {wave(body) for body in applied if body["kind"] in {"HTTPRoute", "AIGatewayRoute"}}
    filters = {wave(body) for body in applied if body["kind"] in {"EnvoyFilter", "EnvoyPatchPolicy"}}
    assert len(of_router) == 1
    assert max(routes | filters | workloads) < min(of_router)
    assert not workloads or max(workloads) < min(routes)


@pytest.mark.parametrize("target", ["istio", "gie", "llm-d", "envoy-gateway"])
def test_a_filter_sets_what_routes_match_before_the_routes(target: str) -> None:
    """An upgrade can add a header to the matches of every route: without the new filter each is a 404."""
    applied = [item.body for item in waved(render(targets.TARGETS[target], policy_of("reference", "current")).objects)]
    filters = [wave(body) for body in applied if body["kind"] in {"EnvoyFilter", "EnvoyPatchPolicy"}]
    models = [wave(body) for body in applied if body["kind"] == "HTTPRoute" and "headers" in str(body["spec"])]
    assert max(filters) < min(models)


def test_on_ai_gateway_the_patch_waits_for_the_first_route() -> None:
    """Its own routes alone bring the request buffer before which the patch inserts; routes have names per model."""
    found = objects(TEXT, "ai-gateway")
    (patch,) = [body for (kind, _), body in found.items() if kind == "EnvoyPatchPolicy"]
    assert all(wave(body) < wave(patch) for (kind, _), body in found.items() if kind == "AIGatewayRoute")


@pytest.mark.parametrize("target", targets.TARGETS)
@pytest.mark.parametrize("change", [RENAMED, WORDS], ids=["renamed", "words"])
def test_a_change_of_the_configuration_is_a_rollout_of_the_router(
    target: str, change: tuple[tuple[str, str], ...]
) -> None:
    """Pods keep the immutable object that they were started with, so a wave knows when none has the old one."""
    before, after = (router(objects(text, target)) for text in (TEXT, changed(TEXT, change)))
    assert before[1]["immutable"]
    assert before[1]["metadata"]["name"] != after[1]["metadata"]["name"]
    assert before[0]["spec"]["template"] != after[0]["spec"]["template"]


def test_with_hot_only_what_routes_and_servers_must_know_is_a_rollout() -> None:
    """Running pods read other changes; a change of models replaces them, so that removed routes can go."""
    guarded = f"{HOT}guards: {{out: {{patterns: [secret], action: mask, on: response}}}}\n"
    texts = (HOT, changed(HOT, WORDS), changed(HOT, RENAMED), guarded)
    before, words, renamed, reading = (router(objects(text, "gie")) for text in texts)
    assert before[0]["spec"]["template"] != reading[0]["spec"]["template"]
    assert "immutable" not in before[1]
    assert before[0]["spec"]["template"] == words[0]["spec"]["template"]
    assert before[1]["metadata"]["name"] == words[1]["metadata"]["name"]
    assert before[1]["data"] != words[1]["data"]
    assert before[0]["spec"]["template"] != renamed[0]["spec"]["template"]
    assert wave(before[1]) == wave(before[0])


def test_monitors_and_autoscalers_hold_nothing_back() -> None:
    """They are in the last wave: an autoscaler without metrics is Degraded, which ends a sync."""
    kinds = targets.kinds()
    last = max(kind.wave for kind in kinds.values())
    observers = [("autoscaling", "HorizontalPodAutoscaler"), ("monitoring.coreos.com", "PodMonitor")]
    assert {kinds[key].wave for key in observers} == {last}


STEPS = ("vsr.dev/step", "vsr.dev/step!=routes", "vsr.dev/step!=router")
"""The selectors of what a Kustomization of Flux deletes, for servers, routes and router."""


@pytest.mark.subprocess
def test_the_kustomizations_of_the_documentation_part_an_overlay_into_three(tmp_path: Path) -> None:
    """Each object is applied by one of them: servers, then routes, then the router."""
    page = (ROOT / "docs" / "explanation" / "rollouts.md").read_text(encoding="utf-8")
    assert all(selector in page for selector in STEPS)
    folder = written(compiled(linked(f"{TEXT}environments: {{it: {{target: gie}}}}\n")), tmp_path / "out")
    overlay = folder / "gie" / "overlays" / "it"
    whole = {identity(body) for body in bodies(build(overlay))}
    parts = []
    for number, selector in enumerate(STEPS):
        own = tmp_path / "out" / f"step-{number}"
        own.mkdir()
        deletion = "$patch: delete\napiVersion: v1\nkind: Any\nmetadata: {name: any}\n"
        patches = [{"target": {"labelSelector": selector}, "patch": deletion}]
        body = {"resources": [f"../{overlay.relative_to(tmp_path / 'out')}"], "patches": patches}
        (own / "kustomization.yaml").write_text(json.dumps(body), encoding="utf-8")
        parts.append({identity(body): wave(body) for body in bodies(build(own))})
    assert sum(map(len, parts)) == len(whole)
    assert set().union(*parts) == whole
    assert {name[:2] for name in parts[1]} == {("HTTPRoute", "edge")}
    assert {kind for kind, *_ in parts[2]} == {"ConfigMap", "Deployment"}


LORAS = changed(TEXT, (("endpoints: alpha}", "endpoints: alpha, loras: {law: {path: /adapters/law}}}"),))
TWO_STEPS = "steps: [{weight: 10, pause: 90s}, {weight: 50, pause: 1h}]"
STEPS_OF_ROUTER = ('image: "r:1"', f'image: "r:1", replicas: 10, rollout: {{controller: argo-rollouts, {TWO_STEPS}}}')


def removals(old: str, new: str, *, environment: str = "") -> list[RolloutChange]:
    """What diff says of removals that old pods still use, in an environment with further words."""
    place = f"environments: {{it: {{target: istio{environment}}}}}\n"
    sides = (compiled(linked(f"{text}{place}")) for text in (old, new))
    trees = Comparison(*({path: file.content for path, file in item.tree.items()} for item in sides), "old")
    return list(two_steps(trees, environment_changes(trees)))


def test_diff_says_which_removals_need_two_steps() -> None:
    """A server that stays loses an adapter before the router stops to select it."""
    (found,) = removals(LORAS, TEXT)
    assert found.text.startswith("Deployment edge/alpha no longer serves law in it: ")
    assert found.text.endswith(" get 404 until it is replaced")
    assert len(found.steps) == 2
    assert not removals(TEXT, LORAS)


def test_diff_says_how_long_a_stepwise_rollout_still_uses_what_is_removed() -> None:
    """Old pods serve during all steps, and again after an abort."""
    stepwise = [changed(text, (STEPS_OF_ROUTER,)) for text in (LORAS, TEXT)]
    (found,) = removals(*stepwise)
    router = "Rollout vllm-semantic-router-system/semantic-router"
    assert f"get 404 while {router} has pods of both versions, 1h 1m 30s or longer" in found.text
    assert "after an abort until you revert this change" in found.text
    assert found.steps[1].startswith("When all pods have the new version, ")
    assert not removals(*reversed(stepwise))


@pytest.mark.parametrize("first", [True, False], ids=["new steps", "steps that an environment switches off"])
def test_a_router_without_old_pods_of_a_rollout_is_replaced_at_once(*, first: bool) -> None:
    """The controller skips the steps of the first version, and a Deployment has none."""
    new = changed(TEXT, (STEPS_OF_ROUTER,))
    if first:
        (found,) = removals(LORAS, new)
    else:
        (found,) = removals(changed(LORAS, (STEPS_OF_ROUTER,)), new, environment=", rollout: none")
    assert found.text.endswith(" get 404 until it is replaced")


@pytest.mark.parametrize(("words", "kind"), [((), "Deployment"), ((STEPS_OF_ROUTER,), "Rollout")])
def test_diff_names_the_workload_to_apply_before_attempts_go(words: tuple[tuple[str, str], ...], kind: str) -> None:
    """A route with several attempts goes with one object of the gateway."""
    new = changed(TEXT, words)
    old = changed(new, (("model: beta-8b}]", "model: beta-8b, fallback: [alpha-8b]}]"),))
    (found,) = removals(old, new)
    assert "no longer makes the attempts of" in found.text
    assert f"the router's ConfigMap and {kind} first" in found.steps[0]
