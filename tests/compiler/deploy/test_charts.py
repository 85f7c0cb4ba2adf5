"""Charts that Argo CD and Flux install with the compiled values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support import crds
from support.argo_cd import permitted
from support.common import linked, reference
from support.gitops_support import bodies, build, compiled, written
from support.rollouts.flux import ordered
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import Compiled
from vsr_compiler.targets import TARGETS

TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: stack}
router: {image: "r:1"}
gateway: {versions: "2026-08"}
gitops:
  repo: https://git.example.com/team/routing.git
  path: clusters
  charts: [vllm-stack, gateway-helm, ai-gateway-crds-helm, ai-gateway-helm]
  flux: {}
  clusters: {eu: {server: "https://eu.example.com"}, us: {kubeconfig: us}}
endpoints: {alpha: {vllm: {namespace: models}}}
models: {alpha-8b: {checkpoint: example/alpha, endpoints: alpha}}
default: alpha-8b
environments:
  prod: {target: production-stack, clusters: {eu: {replicas: {alpha: 2}}, us: {}}}
  dev: {target: istio, server: "https://dev.example.com"}
"""


@pytest.fixture(scope="module")
def result() -> Compiled:
    """The policy, compiled."""
    return compiled(linked(TEXT))


def made(result: Compiled, folder: str) -> dict[tuple[str, str], dict[str, Any]]:
    """The objects below a folder, by kind and name."""
    return {(item.kind, item.name): item.body for path, item in result.objects.items() if path.startswith(f"{folder}/")}


def test_without_the_word_nobody_installs_a_chart() -> None:
    """Users may manage controllers elsewhere."""
    text = TEXT.replace("  charts: [vllm-stack, gateway-helm, ai-gateway-crds-helm, ai-gateway-helm]\n", "")
    without = compiled(linked(text))
    assert "'sources'" not in str(
        [item.body for item in without.objects.values() if item.kind.startswith("Application")]
    )
    assert not [item for item in without.objects.values() if item.kind == "HelmRelease"]


def test_servers_of_a_chart_sync_with_the_overlay_at_the_release_of_the_policy(result: Compiled) -> None:
    """Their pods are in the default wave: after the configuration, before routes and router."""
    spec = made(result, "argocd")["Application", "stack-prod-eu"]["spec"]
    overlay, chart = spec["sources"]
    assert (overlay["ref"], overlay["path"]) == ("values", "clusters/out/stack/production-stack/overlays/prod-eu")
    assert chart == {
        "repoURL": "https://vllm-project.github.io/production-stack",
        "chart": "vllm-stack",
        "targetRevision": result.policy.versions["production-stack"],
        "helm": {
            "releaseName": "vllm-stack",
            "namespace": "models",
            "valueFiles": ["$values/clusters/out/stack/production-stack/helm/prod-eu/values-vllm-stack.yaml"],
        },
    }
    assert "source" not in spec


def test_every_file_of_values_is_in_the_output(result: Compiled) -> None:
    """Argo CD stops at a file that is not there. A cluster with other values has a file of its own."""
    files = [
        name
        for body in made(result, "argocd").values()
        for source in body.get("spec", {}).get("sources", [])
        for name in source.get("helm", {}).get("valueFiles", [])
    ]
    assert len(files) == 6
    assert all(name.removeprefix("$values/clusters/out/stack/") in result.tree for name in files)


def test_the_set_makes_the_same_applications(result: Compiled) -> None:
    """A patch of the template brings the sources, of which environments have different numbers."""
    found = made(result, "argocd")
    spec = found["ApplicationSet", "stack"]["spec"]
    assert "source" not in spec["template"]["spec"]
    for element in spec["generators"][0]["list"]["elements"]:
        patch = json.loads(spec["templatePatch"].replace("{{ toJson .sources }}", json.dumps(element["sources"])))
        single = found["Application", f"stack-{element['environment']}"]["spec"]
        assert patch["spec"]["sources"] == single.get("sources", [single.get("source")])


def test_the_projects_allow_what_the_applications_read_and_write(result: Compiled) -> None:
    """The policy's project allows the chart's repository; that of controllers every kind in their namespaces."""
    found = made(result, "argocd")
    for (kind, _), body in found.items():
        if kind != "Application":
            continue
        project = found["AppProject", body["spec"]["project"]]["spec"]
        sources = body["spec"].get("sources") or [body["spec"]["source"]]
        assert {source["repoURL"] for source in sources} <= set(project["sourceRepos"])
        place = body["spec"]["destination"]
        assert any(place.items() >= entry.items() for entry in project["destinations"])
    own = found["AppProject", "stack"]
    namespaced = ["Deployment", "Service", "Secret", "PersistentVolumeClaim", "ServiceAccount", "Role", "RoleBinding"]
    groups = {
        "Deployment": "apps/v1",
        "Role": "rbac.authorization.k8s.io/v1",
        "RoleBinding": "rbac.authorization.k8s.io/v1",
    }
    for kind in namespaced:
        item = {"apiVersion": groups.get(kind, "v1"), "kind": kind, "metadata": {"name": "x", "namespace": "models"}}
        assert permitted(own, item, "https://eu.example.com")


def test_a_controller_is_installed_once_in_each_cluster_and_never_pruned(result: Compiled) -> None:
    """Its CustomResourceDefinitions would take every object of their kinds with them."""
    found = made(result, "argocd/charts")
    names = {name for kind, name in found if kind == "Application"}
    charts = ("ai-gateway-crds-helm", "ai-gateway-helm", "gateway-helm")
    assert names == {f"stack-prod-{cluster}-{chart}" for cluster in ("eu", "us") for chart in charts}
    applications = [body for (kind, _), body in found.items() if kind == "Application"]
    assert {body["spec"]["syncPolicy"]["automated"]["prune"] for body in applications} == {False}
    crds_chart = found["Application", "stack-prod-eu-ai-gateway-crds-helm"]["spec"]["sources"]
    assert [source["repoURL"] for source in crds_chart] == ["docker.io/envoyproxy"]
    assert crds_chart[0]["targetRevision"] == f"v{result.policy.versions['envoy-ai-gateway']}"


def test_flux_installs_charts_before_the_servers(result: Compiled) -> None:
    """Controllers one after the other, then the servers of the stack, then the objects of the overlay."""
    steps = [body for (kind, _), body in made(result, "flux/prod-us").items() if kind == "Kustomization"]
    assert [body["metadata"]["name"] for body in ordered(steps)] == [
        f"stack-prod-us-{step}" for step in ("charts", "servers", "routes", "router")
    ]
    (charts,) = [body for body in steps if body["metadata"]["name"].endswith("charts")]
    assert charts["spec"]["path"] == "./clusters/out/stack/flux/prod-us/charts"
    assert (charts["spec"]["prune"], charts["spec"]["wait"]) == (False, True)
    releases = [body for (kind, _), body in made(result, "flux/prod-us/charts").items() if kind == "HelmRelease"]
    assert [body["spec"]["chart"]["spec"]["chart"] for body in ordered(releases)] == [
        "ai-gateway-crds-helm", "gateway-helm", "ai-gateway-helm", "vllm-stack",
    ]  # fmt: skip
    stack = ordered(releases)[-1]["spec"]
    assert stack["targetNamespace"] == "models"
    assert stack["kubeConfig"] == {"secretRef": {"name": "us"}}
    (values,) = [item for path, item in result.values.items() if path == "production-stack/helm/values-vllm-stack.yaml"]
    assert stack["values"] == values.body
    assert not [name for kind, name in made(result, "flux/dev") if kind == "HelmRelease"]


@pytest.mark.subprocess
def test_kustomize_builds_every_folder(result: Compiled, tmp_path: Path) -> None:
    """Each can be applied by itself."""
    folder = written(result, tmp_path)
    built = {
        path.parent: bodies(build(path.parent))
        for name in ("argocd", "flux")
        for path in (folder / name).rglob("kustomization.yaml")
    }
    assert len(built) == 10
    assert all(built.values())


def test_the_schemas_take_every_object(result: Compiled) -> None:
    """Those of Argo CD and Flux."""
    schemas: dict[tuple[str, str], crds.Schema] = crds.load(reference() / "crds" / "argo-cd-v3.5.1")
    for folder in sorted((reference() / "crds-newer").glob("flux-*")):
        schemas |= crds.load(folder)
    for body in (*made(result, "argocd").values(), *made(result, "flux").values()):
        if (body["apiVersion"], body["kind"]) in schemas:
            schema = schemas[body["apiVersion"], body["kind"]]
            assert crds.problems(schema, body) == []
            assert crds.defaulted(schema, body) == body


def test_what_the_controllers_install_is_not_asked_of_users(result: Compiled) -> None:
    """VSR315 names what is left to do by hand."""
    assert not [item for item in result.warnings if item.code == "VSR315"]


@pytest.mark.parametrize(
    "change",
    [
        ("charts: [vllm-stack", "charts: [istiod"),
        ("repo: https://git.example.com/team/routing.git\n  path: clusters", "repo: oci://registry.example.com/stack"),
    ],
)
def test_a_chart_that_nobody_can_install_is_refused(change: tuple[str, str]) -> None:
    """With the charts of the policy's targets."""
    assert change[0] in TEXT
    with pytest.raises(CompileError) as caught:
        compiled(linked(TEXT.replace(*change)))
    assert [item.code for item in caught.value.diagnostics] == ["VSR371"]


def test_every_target_with_values_says_where_its_charts_are() -> None:
    """Without them nobody could install it by name. The chart of llm-d's picker goes with a component."""
    for target in TARGETS.values():
        assert bool(target.installs) == (bool(target.charts) and target.name != "llm-d")
        assert {source.project for source in target.installs} <= {*target.releases, *target.tables}


def test_agentgateway_comes_after_its_definitions() -> None:
    """Its chart is in a registry of its own."""
    text = TEXT.replace(
        "vllm-stack, gateway-helm, ai-gateway-crds-helm, ai-gateway-helm", "agentgateway, agentgateway-crds"
    )
    result = compiled(linked(text.replace("target: production-stack", "target: agentgateway")))
    releases = [body for (kind, _), body in made(result, "flux/prod-us/charts").items() if kind == "HelmRelease"]
    assert [body["spec"]["chart"]["spec"]["chart"] for body in ordered(releases)] == [
        "agentgateway-crds",
        "agentgateway",
    ]
    source = made(result, "argocd")["Application", "stack-prod-eu-agentgateway"]["spec"]["sources"][0]
    assert (source["repoURL"], source["targetRevision"][0]) == ("cr.agentgateway.dev/charts", "v")
