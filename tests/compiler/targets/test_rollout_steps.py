"""The router's stepwise rollout: its objects, what they refer to, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from support import crds
from support.common import SMALL, call, linked, reference
from support.gitops_support import DEV, GITOPS, HERE, PLAIN, PROD, bodies, build, compiled, with_environments, written
from support.rendering import components, notices, objects
from vsr_compiler import ir
from vsr_compiler.live.built_in import judge
from vsr_compiler.live.verdict import State
from vsr_compiler.targets import TARGETS

ROUTER = 'router: {image: "registry.example/vsr-runtime:0.1.0"'
ANALYSIS = 'analysis: {prometheus: "http://prometheus:9090", latency: 50ms}'
STEPS = "rollout: {controller: argo-rollouts, steps: [{weight: 10, pause: 10m}, {weight: 50, pause: 2m}]"
GOOD = f"replicas: 10, {STEPS}, {ANALYSIS}}}"
CLUSTERS = sorted(set(TARGETS) - {"attach", "compose"})


def text(more: str, base: str = SMALL) -> str:
    """A policy with further words of the router."""
    return base.replace(ROUTER, f"{ROUTER}, {more}")


def codes(more: str, base: str = SMALL) -> list[str]:
    """The codes of what a compile reports of a policy, apart from what the cluster must have."""
    return [item.code for item in notices(linked(text(more, base)), "istio") if item.code != "VSR315"]


def by_kind(policy: ir.Policy, target: str = "istio"):
    """The router's objects by kind."""
    return {item.kind: item.body for item in objects(policy, target) if item.name.startswith("semantic-router")}


@pytest.mark.parametrize("target", CLUSTERS)
def test_rollout_and_analysis_fit_their_definitions_on_every_target(target: str) -> None:
    """Argo Rollouts would accept them, and they are named as they refer to each other."""
    schemas = crds.profile(reference(), "argo-rollouts-v1.9.1")
    found = by_kind(linked(text(GOOD)), target)
    assert "Deployment" not in found
    for kind in ("Rollout", "AnalysisTemplate"):
        assert crds.problems(schemas["argoproj.io/v1alpha1", kind], found[kind]) == []
    for step in found["Rollout"]["spec"]["strategy"]["canary"]["steps"]:
        for item in step.get("analysis", {}).get("templates", []):
            assert item["templateName"] == found["AnalysisTemplate"]["metadata"]["name"]


def test_a_rollout_has_the_pods_of_the_deployment_in_whose_place_it_is() -> None:
    """Services, budgets and network policies select the same pods."""
    with_steps, without = by_kind(linked(text(GOOD))), by_kind(linked(text("replicas: 10")))
    rollout, deployment = with_steps.pop("Rollout")["spec"], without.pop("Deployment")["spec"]
    assert rollout.pop("strategy")["canary"]["maxUnavailable"] == 0
    assert rollout.pop("progressDeadlineAbort") is True
    deployment.pop("strategy")
    assert rollout == deployment
    with_steps.pop("AnalysisTemplate")
    assert with_steps == without


def test_a_step_is_judged_over_its_own_length() -> None:
    """Each analysis gets the pause before it."""
    steps = by_kind(linked(text(GOOD)))["Rollout"]["spec"]["strategy"]["canary"]["steps"]
    shown = [
        step.get("setWeight")
        or step.get("pause", {}).get("duration")
        or {item["name"]: item.get("value") for item in step["analysis"]["args"]}["window"]
        for step in steps
    ]
    assert shown == [10, "600s", "600s", 50, "120s", "120s"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (GOOD, []),
        (f"replicas: 10, {STEPS}}}", ["VSR619"]),
        (GOOD.replace("replicas: 10", "replicas: 9"), ["VSR592"]),
        (f"autoscaling: {{min: 4, max: 20}}, {GOOD}", ["VSR592"]),
        (f"reload: hot, {GOOD}", ["VSR593"]),
        (f"engine: semantic-router, {GOOD}", ["VSR593"]),
    ],
)
def test_steps_that_pods_cannot_follow_are_refused(more: str, expected: list[str]) -> None:
    """Less than one pod, pods that change at once, and a router without the metrics."""
    base = SMALL.replace("    when: {category: math}\n", "    when: {signal: code}\n")
    base = base.replace("routes:", "signals: {code: {keywords: [code]}}\nroutes:")
    found = codes(more, base if "semantic-router" in more else SMALL)
    assert [code for code in found if code in {"VSR592", "VSR593", "VSR619"}] == expected


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ("rollout: {controller: flagger, steps: [{weight: 50, pause: 2m}]}", "VSR594"),
        (GOOD.replace("weight: 50", "weight: 10"), "VSR592"),
        (GOOD.replace("pause: 2m", "pause: 90s"), "VSR592"),
        (GOOD.replace("pause: 2m", "pause: 150500ms"), "VSR592"),
        (GOOD.replace("weight: 50", "weight: 100"), "VSR104"),
        (GOOD.replace('prometheus: "http://prometheus:9090", ', ""), "VSR102"),
        (GOOD.replace("http://", "ftp://"), "VSR104"),
        (GOOD.replace("latency: 50ms", "latency: 6s"), "VSR104"),
    ],
)
def test_wrong_steps_are_reported_by_check_at_their_place(more: str, code: str, tmp_path) -> None:
    """Before anything is rendered."""
    path = tmp_path / "policy.yaml"
    path.write_text(text(more), encoding="utf-8")
    result = call("check", path)
    assert result.exit_code == 1
    assert "policy.yaml:4:" in result.output
    assert code in result.output


def test_an_error_of_the_router_alone_fails_a_check(tmp_path) -> None:
    """Also one that is found after the rest of the policy."""
    path = tmp_path / "policy.yaml"
    path.write_text(text("replicas: 5, autoscaling: {max: 2}"), encoding="utf-8")
    assert "VSR268" in call("check", path).output


def environments(base: str, **rollouts: str):
    """A linked policy whose environments have these rollouts."""
    words = ", ".join(f"{name}: {{target: istio, {more}}}" for name, more in rollouts.items())
    return linked(f"{base}environments: {{{words}}}\n")


def test_an_environment_has_its_own_rollout_or_none() -> None:
    """The base has that of the policy."""
    other = f"rollout: {GOOD.partition('rollout: ')[2].replace('weight: 10', 'weight: 20')}"
    policy = environments(text(GOOD, PLAIN), dev="rollout: none", prod=other, same="region: eu")
    result = compiled(replace(policy, gitops=None))
    paths = set(result.tree)
    place = "vllm-semantic-router-system"
    assert f"istio/base/{place}/rollout-semantic-router.yaml" in paths
    assert f"istio/overlays/dev/{place}/deployment-semantic-router.yaml" in paths
    assert f"istio/overlays/dev/patches/{place}/analysistemplate-semantic-router-rollout.yaml" in paths
    assert b"20" in result.tree[f"istio/overlays/prod/patches/{place}/rollout-semantic-router.yaml"].content
    assert not [path for path in paths if path.startswith("istio/overlays/same/") and "rollout" in path]


SCALED = text(
    GOOD.replace("replicas: 10", 'replicas: 10, autoscaling: {min: 10, max: 20, prometheus: "http://p:9090"}'), PLAIN
)


@pytest.mark.parametrize(
    ("own", "expected"),
    [
        ({"dev": ""}, {"-rollout": "Rollout"}),
        ({"dev": "rollout: none"}, {"": "Deployment", "-rollout": "Rollout"}),
        ({"dev": "rollout: none", "prod": ""}, {"": "Deployment", "-rollout": "Rollout"}),
    ],
)
def test_autoscalers_exist_for_the_workloads_that_environments_have(own, expected) -> None:
    """Each scales an object of the kind that it names, and drops its replicas; KEDA as HorizontalPodAutoscalers."""
    found = {}
    for component in components(environments(SCALED, **own), "istio"):
        for item in component.objects:
            if item.kind in {"HorizontalPodAutoscaler", "ScaledObject"}:
                found[component.name] = item.body["spec"]["scaleTargetRef"]["kind"]
                assert [patch["target"]["kind"] for patch in component.patches] == [found[component.name]]
    names = {f"{stem}{end}": kind for stem in ("autoscaling", "autoscaling-keda") for end, kind in expected.items()}
    assert found == names


def test_an_environment_that_alone_has_steps_gets_a_component_for_them() -> None:
    """The policy itself has a Deployment."""
    plain = text('replicas: 10, autoscaling: {min: 10, max: 20, prometheus: "http://p:9090"}', PLAIN)
    policy = environments(plain, dev="", prod=f"rollout: {GOOD.partition('rollout: ')[2]}")
    names = {component.name for component in components(policy, "istio") if "autoscaling" in component.name}
    assert names == {"autoscaling", "autoscaling-rollout", "autoscaling-keda", "autoscaling-keda-rollout"}


@pytest.mark.subprocess
@pytest.mark.parametrize(("name", "kind"), [("dev", "Deployment"), ("prod", "Rollout")])
@pytest.mark.parametrize("component", ["autoscaling", "autoscaling-keda"])
def test_kustomize_adds_the_autoscaler_to_the_workload_of_an_environment(
    tmp_path: Path, component: str, name: str, kind: str
) -> None:
    """The workload exists, and has no replicas that a sync would reset."""
    policy = environments(SCALED, dev="rollout: none", prod="")
    target = written(compiled(replace(policy, gitops=None)), tmp_path) / "istio"
    own = target / "overlays" / "own"
    own.mkdir()
    end = "-rollout" if kind == "Rollout" else ""
    used = {"resources": [f"../{name}"], "components": [f"../../components/{component}{end}"]}
    (own / "kustomization.yaml").write_text(json.dumps(used), encoding="utf-8")
    found = {(item["kind"], item["metadata"]["name"]): item["spec"] for item in bodies(build(own)) if "spec" in item}
    (scaler,) = [
        spec for (own_kind, _), spec in found.items() if own_kind in {"HorizontalPodAutoscaler", "ScaledObject"}
    ]
    reference = scaler["scaleTargetRef"]
    assert reference["kind"] == kind
    assert "replicas" not in found[kind, reference["name"]]


def test_keda_without_the_router_has_one_component_for_all_kinds() -> None:
    """Model servers are Deployments in every environment."""
    servers = PLAIN.replace("one: {vllm: {}}", 'one: {vllm: {autoscaling: {max: 4, prometheus: "http://p:9090"}}}')
    policy = environments(text(GOOD, servers), dev="rollout: none", prod="")
    names = {component.name for component in components(policy, "istio") if "keda" in component.name}
    assert names == {"autoscaling-keda"}


def test_the_alert_about_the_router_reads_the_metric_of_its_controller() -> None:
    """kube-state-metrics has none for a Rollout, and an alert without series never fires."""
    (rules,) = [
        item.body
        for component in components(linked(text(GOOD)), "istio")
        for item in component.objects
        if item.kind == "PrometheusRule"
    ]
    alerts = {rule["alert"]: rule["expr"] for rule in rules["spec"]["groups"][0]["rules"]}
    assert alerts["RouterUnavailable"].startswith("rollout_info_replicas_available{")


def test_flux_waits_for_the_steps_and_keeps_what_old_pods_mount() -> None:
    """It deletes before it waits, and pods of a rollout that goes back need their configuration."""
    flux = replace(GITOPS, flux=ir.Flux("flux-system", 600_000, HERE))
    result = compiled(with_environments(DEV, text=text(GOOD, PLAIN), gitops=flux))
    spec = result.objects["flux/dev/kustomization-small-dev-router.yaml"].body["spec"]
    assert spec["timeout"] == "72m"
    (check,) = [item for item in spec["healthCheckExprs"] if item["kind"] == "Rollout"]
    assert check["apiVersion"] == "argoproj.io/v1alpha1"
    kept = [path for path, file in result.tree.items() if b"toolkit.fluxcd.io/prune: disabled" in file.content]
    patched = [file.content for path, file in result.tree.items() if "/patches/" in path and "configmap" in path]
    assert [path for path in kept if "configmap" in path] or b"prune" in b"".join(patched)
    without = compiled(with_environments(DEV, PROD, gitops=flux))
    assert not [path for path in without.tree if "/patches/" in path and "configmap" in path]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({"phase": "Healthy"}, State.HEALTHY),
        ({"phase": "Progressing", "currentStepIndex": 2}, State.WAITING),
        ({"phase": "Paused", "pauseConditions": [{"reason": "CanaryPauseStep"}]}, State.WAITING),
        ({"phase": "Paused", "pauseConditions": [{"reason": "InconclusiveAnalysisRun"}]}, State.REJECTED),
        ({"phase": "Degraded", "message": "RolloutAborted: metric errors failed"}, State.REJECTED),
        ({"phase": "Healthy", "observedGeneration": "2"}, State.WAITING),
        ({}, State.WAITING),
    ],
)
def test_status_shows_how_far_a_rollout_is(status, state: State) -> None:
    """A pause between steps ends by itself, one without a result does not."""
    live = {"metadata": {"generation": 3}, "status": {"observedGeneration": "3", **status}}
    assert judge(("argoproj.io", "Rollout"), live).state is state


@pytest.mark.parametrize(("more", "permitted"), [(GOOD, 1), ("replicas: 10", 0)])
def test_the_project_of_argo_cd_permits_rollouts_only_to_policies_that_have_one(more: str, permitted: int) -> None:
    """Its objects run pods."""
    result = compiled(with_environments(DEV, text=text(more, PLAIN)))
    (project,) = [file.content for path, file in result.tree.items() if "appproject" in path]
    assert project.count(b"kind: Rollout") == permitted
