"""What a real Argo CD 3.5.1 did with the output, case by case."""

from __future__ import annotations

import pytest

from support import argo_cd
from support.common import ROOT
from support.control_cases import compiled_text, edited, policy_text
from support.gitops_support import bodies, build, written
from support.lua_health import settings_health
from vsr_compiler import targets
from vsr_compiler.diagnostics import Severity
from vsr_compiler.manifests.immutable import refusals
from vsr_compiler.manifests.objects import Body
from vsr_compiler.pipeline import Compiled
from vsr_compiler.review import multi_policy
from vsr_compiler.targets import kinds


def argo(result: Compiled, kind: str) -> list[Body]:
    """The objects of a kind in argocd/."""
    return [item.body for path, item in result.objects.items() if path.startswith("argocd/") and item.kind == kind]


def environment(result: Compiled, name: str = "prod") -> list[Body]:
    """The objects of an environment."""
    return [item.body for item in result.environments[name]]


def test_a_refused_commit_is_never_compared_by_a_server_side_dry_run() -> None:
    """argocd-01: one refused object made the commit "Synced, Healthy" with nothing of it applied."""
    result = compiled_text(policy_text("argocd-01"))
    assert not [path for path, file in result.tree.items() if b"ServerSideDiff" in file.content]


@pytest.mark.parametrize("refresh", [True, False])
def test_a_repair_is_synced_at_the_next_retry(*, refresh: bool) -> None:
    """argocd-04: pushed 11 s after the first failure, it was synced after 9 min 49 s; with `refresh` after 20 s."""
    result = compiled_text(policy_text("argocd-04"))
    (application,), (generator,) = argo(result, "Application"), argo(result, "ApplicationSet")
    retry = application["spec"]["syncPolicy"]["retry"]
    assert retry == generator["spec"]["template"]["spec"]["syncPolicy"]["retry"]
    retries = argo_cd.Retries({**retry, "refresh": retry["refresh"] and refresh}, [(0, False), (11, True)])
    assert retries.run() == (20 if refresh else 600)


def test_a_commit_that_failed_every_retry_is_not_tried_again() -> None:
    """Argo CD waits for the next commit, or for a sync by hand."""
    (application,) = argo(compiled_text(policy_text("argocd-04")), "Application")
    retries = argo_cd.Retries(application["spec"]["syncPolicy"]["retry"], [(0, False)])
    assert retries.run() is None
    assert [round(time) for time, _ in retries.log] == [0, 20, 60, 140, 300, 600]


REFUSED = {
    "type": "NotAccepted",
    "status": "False",
    "reason": "ReconciliationFailed",
    "message": "failed to construct a new HTTPRoute",
}


@pytest.mark.parametrize("kind", ["AIGatewayRoute", "AIServiceBackend"])
def test_an_object_that_ai_gateway_refuses_is_degraded_with_the_reason(kind: str) -> None:
    """argocd-06: it was Progressing for ever, or Healthy."""
    (settings,) = (body for body in argo(compiled_text(policy_text("argocd-06")), "ConfigMap"))
    body = {"kind": kind, "metadata": {"name": "x", "generation": 3}, "status": {"conditions": [REFUSED]}}
    status, message = settings_health(settings, "aigateway.envoyproxy.io", body)
    assert (status, message) == ("Degraded", "NotAccepted: failed to construct a new HTTPRoute")


@pytest.mark.subprocess
def test_environments_of_one_cluster_are_never_applied_together(tmp_path: object) -> None:
    """argocd-07: whichever wrote last won, once the simulator."""
    text = policy_text("argocd-07")
    result = compiled_text(text)
    (finding,) = (item for item in result.warnings if item.code == "VSR303")
    assert finding.level is Severity.WARNING
    folder = written(result, tmp_path) / "argocd"  # type: ignore[arg-type]
    assert [body["kind"] for body in bodies(build(folder))] == ["AppProject"]
    assert argo(result, "ApplicationSet")[0]["spec"]["generators"] == [{"list": {"elements": []}}]
    assert len(argo(result, "Application")) == 2


def test_environments_with_clusters_of_their_own_are_applied_together() -> None:
    """argocd-07: each in its cluster, which the project permits for the namespaces of that environment."""
    text = edited(policy_text("argocd-07"), ("simulate: true}", 'simulate: true, server: "https://dev.example.com"}'))
    result = compiled_text(text)
    assert not [item for item in result.warnings if item.code == "VSR303"]
    applications = {body["metadata"]["name"]: body for body in argo(result, "Application")}
    held = {}
    (project,) = argo(result, "AppProject")
    for name in ("dev", "prod"):
        application = applications[f"alpha-{name}"]
        server = application["spec"]["destination"]["server"]
        held[name] = (server, environment(result, name))
        assert all(argo_cd.permitted(project, body, server) for body in environment(result, name))
    assert argo_cd.shared(held) == []
    assert argo_cd.shared({name: ("same", objects) for name, (_, objects) in held.items()}) == [("dev", "prod")]
    (generator,) = argo(result, "ApplicationSet")
    elements = generator["spec"]["generators"][0]["list"]["elements"]
    assert [element["environment"] for element in elements] == ["dev", "prod"]


@pytest.mark.parametrize("target", targets.TARGETS)
def test_an_overlay_with_every_component_is_permitted(target: str) -> None:
    """argocd-08: nothing at all was synced, for one kind that the project did not permit."""
    result = compiled_text(edited(policy_text("argocd-08"), ("target: istio", f"target: {target}")))
    components = [item for path, item in result.objects.items() if "/components/" in path]
    assert {"HorizontalPodAutoscaler", "PodMonitor", "PrometheusRule"} <= {item.kind for item in components}
    (project,), (application,) = argo(result, "AppProject"), argo(result, "Application")
    desired = [*environment(result), *(item.body for item in components)]
    assert argo_cd.sync(project, application, [], desired).problems == ()


@pytest.mark.parametrize("target", targets.TARGETS)
@pytest.mark.parametrize("before", targets.TARGETS)
def test_an_environment_moves_between_stacks_over_what_runs(before: str, target: str) -> None:
    """argocd-02: a Service was headless on one stack and not on the other, and the API server changes neither."""
    text = policy_text("argocd-02")
    old, new = (
        {
            argo_cd.key(body): body
            for body in environment(compiled_text(edited(text, ("target: istio", f"target: {name}"))))
        }
        for name in (before, target)
    )
    assert [(key, found) for key in old.keys() & new.keys() for found in refusals(old[key], new[key])] == []
    shared = {"Deployment", "Service"} | (set() if "attach" in {before, target} else {"Gateway"})
    assert {key[1] for key in old.keys() & new.keys()} >= shared


@pytest.mark.parametrize("target", sorted(targets.TARGETS.keys() - {"production-stack"}))
def test_the_gateways_namespace_is_asked_for(target: str) -> None:
    """argocd-09: the first sync failed half-way, and was not tried again after ten minutes.

    Of the production stack it exists already, since its chart is installed there.
    """
    text = edited(policy_text("argocd-09"), ("target: istio", f"target: {target}"))
    found = [item for item in compiled_text(text).warnings if item.code == "VSR315"]
    asked = (
        "Gateway `alpha-gw` in alpha must exist"
        if target == "attach"
        else "namespace `alpha` of the Gateway must exist"
    )
    assert [item for item in found if asked in item.message]
    if target == "attach":
        return  # the Gateway is not ours, so it must exist wherever it is
    text = edited(text, ("namespace: alpha}", "namespace: default}"))
    assert not [item for item in compiled_text(text).warnings if "must exist" in item.message]


@pytest.mark.parametrize("target", targets.TARGETS)
def test_a_degraded_autoscaler_holds_nothing_back(target: str) -> None:
    """argocd-11: without metrics it stopped every change half-way, in wave 0."""
    result = compiled_text(edited(policy_text("argocd-11"), ("target: istio", f"target: {target}")))
    components = [item.body for path, item in result.objects.items() if "/components/" in path]
    desired = [*environment(result), *components]
    scaler = next(body for body in components if body["kind"] == "HorizontalPodAutoscaler")
    assert argo_cd.applied_before(desired, argo_cd.key(scaler), prunes=False) is None
    held_back = {argo_cd.wave(body) for body in desired} - (
        argo_cd.applied_before(desired, argo_cd.key(scaler), prunes=True) or set()
    )
    assert held_back == set()
    monitors = [body for body in components if argo_cd.group_of(body) == "monitoring.coreos.com"]
    assert {argo_cd.wave(body) for body in [scaler, *monitors]} == {max(map(argo_cd.wave, desired))}


def test_no_check_of_health_is_left_out_of_the_settings() -> None:
    """Every kind of an environment has a check of ours or one of Argo CD's."""
    result = compiled_text(policy_text("argocd-06"))
    (settings,) = argo(result, "ConfigMap")
    for body in environment(result):
        group, kind = argo_cd.group_of(body), body["kind"]
        if type(kinds()[group, kind].health).__name__ != "BuiltInHealth":
            assert f"resource.customizations.health.{group}_{kind}" in settings["data"]


@pytest.mark.parametrize("target", targets.TARGETS)
def test_the_router_is_replaced_before_the_routes_of_a_removed_model_are_pruned(target: str) -> None:
    """argocd-05: its pods stayed, and selected for a minute a model whose route was gone."""
    text = edited(policy_text("argocd-05"), ("target: istio", f"target: {target}"))
    server, model = (next(line for line in text.splitlines() if line.startswith(start)) for start in TWO)
    removed = edited(text, (f"{server}\n", ""), (f"{model}\n", ""), ("model: model-two", "model: model-one"))
    old, new = (routers(environment(compiled_text(side))) for side in (text, removed))
    assert [body["spec"]["template"] for body in old] != [body["spec"]["template"] for body in new]
    after = environment(compiled_text(removed))
    routes = [body for body in after if body["kind"] in {"HTTPRoute", "AIGatewayRoute"}]
    assert all(argo_cd.wave(router) > argo_cd.wave(route) for router in new for route in routes)
    assert bool(routes) == (target != "attach")  # there they are others'


TWO = ("  two:", "  model-two:")


def routers(objects: list[Body]) -> list[Body]:
    """The router's Deployment."""
    return [body for body in objects if argo_cd.key(body)[1:] == ("Deployment", "alpha-router", "semantic-router")]


COMMANDS = {
    "a wave that does not end (argocd-10)": "argocd app terminate-op <policy>-<environment>",
    "a failed sync that is not tried again": "argocd app sync <policy>-<environment>",
    "an environment that is gone": "argocd app delete <policy>-<environment> --cascade",
    "the project before the sync (argocd-03)": "kubectl apply -k out/<policy>/argocd/project",
    "an environment alone (argocd-07)": "kubectl apply -f out/<policy>/argocd/application-<policy>-<environment>.yaml",
    "the gateway's namespace (argocd-09)": "kubectl create namespace <name>",
    "a timeout of operations (argocd-10)": "controller.sync.timeout.seconds",
    "objects of somebody else": "--dry-run=server --field-manager=vsr-compile-<policy>",
}


@pytest.mark.parametrize("symptom", COMMANDS)
def test_the_page_for_operators_names_the_command_that_helps(symptom: str) -> None:
    """Of what no object can prevent."""
    page = (ROOT / "docs" / "how-to" / "argo-cd.md").read_text(encoding="utf-8")
    assert COMMANDS[symptom] in page


def test_every_documented_apply_of_an_overlay_has_a_field_manager_of_its_policy() -> None:
    """newest-04: with kubectl's own, a second policy takes the objects of the first without a conflict."""
    pages = {path: path.read_text(encoding="utf-8") for path in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]}
    applies = [
        (path.name, line)
        for path, text in pages.items()
        for line in text.splitlines()
        if "kubectl apply" in line and "/overlays/" in line
    ]
    assert len(applies) > 3
    assert [line for line in applies if "--field-manager=vsr-compile-" not in line[1]] == []


def test_two_policies_of_one_cluster_are_told_to_have_gateways_in_namespaces_of_their_own() -> None:
    """newest-04: with both Gateways in one namespace, routes of equal models move from one to the other."""
    held = {}
    for name in ("policy.yaml", "policy-same-models.yaml"):
        text = policy_text("newest-04", name)
        gitops = '\ngitops: {repo: "https://git.example.com/team/routing.git"}\n'
        result = compiled_text(text if "gitops:" in text else text + gitops)
        held[name] = multi_policy.held(result)
    ((_, finding),) = multi_policy.cluster_conflicts(held)
    assert finding.code == "VSR309"
    assert "a Gateway in a namespace of its own" in finding.hint
