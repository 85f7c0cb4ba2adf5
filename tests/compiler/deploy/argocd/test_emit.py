"""What Argo CD is given: Applications, a set, a project, settings, each valid and no wider than needed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support import crds
from support.command import run
from support.common import reference
from support.gitops_support import (
    DEV,
    ELSEWHERE,
    GITOPS,
    HERE,
    PLAIN,
    PROD,
    bodies,
    build,
    compiled,
    with_environments,
    written,
)
from vsr_compiler import ir
from vsr_compiler.deploy.argocd.emit import IN_CLUSTER, PLACEHOLDER, conflicts
from vsr_compiler.diagnostics import CompileError, Severity
from vsr_compiler.pipeline import Compiled


def argo(result: Compiled) -> dict[tuple[str, str], dict[str, Any]]:
    """The objects of argocd/ by kind and name."""
    return {(item.kind, item.name): item.body for path, item in result.objects.items() if path.startswith("argocd/")}


def instances(spec: dict[str, Any]) -> list[dict[str, Any]]:
    """The Applications that a set creates: its template with the values of each element."""
    made = []
    for element in spec["generators"][0]["list"]["elements"]:
        text = json.dumps(spec["template"])
        for name, value in element.items():
            text = text.replace(f"{{{{ .{name} }}}}", value)
        made.append(json.loads(text))
    return made


def test_an_application_syncs_its_overlay_from_the_repository() -> None:
    """Where from, where to and how: the policy's own words."""
    result = compiled(with_environments(DEV, PROD))
    body = argo(result)[("Application", "small-prod")]
    assert body["spec"]["source"] == {
        "repoURL": GITOPS.repo,
        "targetRevision": "main",
        "path": "out/small/istio/overlays/prod",
    }
    assert body["spec"]["destination"] == {"server": "https://prod.example.com", "namespace": "default"}
    assert body["spec"]["project"] == "small"
    assert body["metadata"]["namespace"] == "argocd"
    assert "annotations" not in body["metadata"]
    policy = body["spec"]["syncPolicy"]
    assert policy["automated"] == {"prune": True, "selfHeal": True}
    assert policy["syncOptions"] == ["ServerSideApply=true", "PruneLast=true", "FailOnSharedResource=true"]
    assert body["spec"]["source"]["path"] + "/kustomization.yaml" in {f"out/small/{path}" for path in result.tree}


@pytest.mark.parametrize(
    ("path", "expected"),
    [(".", "out/small"), ("deploy/llm", "deploy/llm/out/small"), ("/a/", "a/out/small"), ("a/../b", "b/out/small")],
)
def test_the_output_may_lie_anywhere_in_the_repository(path: str, expected: str) -> None:
    """`gitops.path` is the folder that holds `out/`."""
    found = argo(compiled(with_environments(DEV, gitops=replace(GITOPS, path=path))))
    assert found[("Application", "small-dev")]["spec"]["source"]["path"] == f"{expected}/istio/overlays/dev"
    (element,) = found[("ApplicationSet", "small")]["spec"]["generators"][0]["list"]["elements"]
    assert element["path"] == f"{expected}/istio/overlays/dev"


def test_a_path_that_leaves_the_repository_is_refused() -> None:
    """At the line of `gitops`."""
    with pytest.raises(CompileError) as caught:
        compiled(with_environments(DEV, gitops=replace(GITOPS, path="../..")))
    assert [(each.code, each.span) for each in caught.value.diagnostics] == [("VSR302", HERE)]


@pytest.mark.subprocess
def test_the_set_makes_the_same_applications_by_name(tmp_path: Path) -> None:
    """Whoever applies both forms still gets one Application for one thing."""
    result = compiled(with_environments(DEV, replace(PROD, server="https://second.example.com")))
    spec = argo(result)[("ApplicationSet", "small")]["spec"]
    assert (spec["goTemplate"], spec["goTemplateOptions"]) == (True, ["missingkey=error"])
    single = {name: body["spec"] for (kind, name), body in argo(result).items() if kind == "Application"}
    assert {body["metadata"]["name"]: body["spec"] for body in instances(spec)} == single
    assert len(single) == 2
    folder = written(result, tmp_path) / "argocd"
    kinds = sorted(body["kind"] for body in bodies(build(folder)))
    assert kinds == ["AppProject", "Application", "Application"]
    assert sorted(body["kind"] for body in bodies(build(folder / "applicationset"))) == ["AppProject", "ApplicationSet"]


def test_the_project_allows_what_the_overlays_hold_and_nothing_else() -> None:
    """The namespaces of the policy, the kinds of its targets, and cluster-scoped names of their form."""
    result = compiled(with_environments(DEV, ELSEWHERE))
    spec = argo(result)[("AppProject", "small")]["spec"]
    found = [item for objects in result.environments.values() for item in objects]
    namespaces = {item.namespace for item in found if item.namespace}
    assert {each["namespace"] for each in spec["destinations"]} == namespaces
    assert {each["server"] for each in spec["destinations"]} == {GITOPS.server}
    assert spec["sourceRepos"] == [GITOPS.repo]
    assert not [each for each in spec["namespaceResourceWhitelist"] if "*" in str(each)]
    auth, reader = "default-*-epp-metrics-auth", "default-vsr-metrics-reader"
    assert {(each["kind"], each["name"]) for each in spec["clusterResourceWhitelist"]} == {
        ("ClusterRole", auth),
        ("ClusterRole", reader),
        ("ClusterRoleBinding", auth),
        ("ClusterRoleBinding", reader),
        ("GatewayClass", "default-*"),
        ("GatewayClass", "ingress-*"),
        ("Namespace", "vllm-semantic-router-system"),
    }


@pytest.mark.subprocess
def test_the_settings_claim_our_keys_of_argo_cds_configmap_and_no_label(tmp_path: Path) -> None:
    """Applied on the server's side, everything else in argocd-cm stays its owner's."""
    result = compiled(with_environments(DEV))
    body = argo(result)[("ConfigMap", "argocd-cm")]
    assert set(body["metadata"]["labels"]) == {"app.kubernetes.io/name", "app.kubernetes.io/part-of"}
    assert all(key.startswith("resource.customizations.health.") for key in body["data"])
    assert "argocd-cm" not in build(written(result, tmp_path) / "argocd")


def test_without_a_repository_there_is_a_placeholder_and_a_warning() -> None:
    """It compiles; that it cannot sync yet is said."""
    result = compiled(with_environments(DEV, gitops=None))
    assert [(each.code, each.level) for each in result.warnings] == [("VSR301", Severity.WARNING)]
    spec = argo(result)[("Application", "small-dev")]["spec"]
    assert (spec["source"]["repoURL"], spec["destination"]["server"]) == (PLACEHOLDER, IN_CLUSTER)
    assert compiled(with_environments(DEV)).warnings == ()


def test_environments_with_the_same_objects_are_reported_for_one_cluster() -> None:
    """FailOnSharedResource would stop one of them, after it wrote over the other's objects."""
    found = compiled(with_environments(DEV, PROD)).warnings
    assert [(each.code, each.level) for each in found] == [("VSR303", Severity.WARNING)]
    assert "`dev` and `prod`" in found[0].message
    assert "out/small/argocd`" in found[0].message
    assert "out/small/argocd/applicationset`" in found[0].message


def test_however_many_environments_share_objects_it_is_one_note() -> None:
    """Five environments are ten pairs, and one thing to know."""
    many = [replace(DEV, name=name) for name in ("a", "b", "c", "d", "e")]
    (found,) = compiled(with_environments(*many)).warnings
    assert "`a`, `b`, `c`, `d` and `e` hold the same objects" in found.message
    assert "a `server` of its own" in found.hint


def test_environments_that_share_objects_are_reported_by_group() -> None:
    """`b` may not stand beside `a`, nor beside `c`; `a` and `c` go together."""
    groups = list(conflicts({"a": {"x"}, "b": {"x", "y"}, "c": {"y"}, "d": {"z"}}))
    assert groups == [["a", "b"], ["b", "c"]]


@pytest.mark.parametrize("environments", [(DEV,), (DEV, PROD, ELSEWHERE)], ids=["one", "three"])
def test_argo_cds_own_schemas_take_every_object(environments: tuple[ir.Environment, ...]) -> None:
    """No unknown field, no wrong type, nothing left to default."""
    schemas = crds.load(reference() / "crds" / "argo-cd-v3.5.1")
    checked = set()
    for body, schema in crds.custom(iter(argo(compiled(with_environments(*environments))).values()), schemas):
        assert crds.problems(schema, body) == []
        assert crds.defaulted(schema, body) == body
        checked.add(body["kind"])
    assert checked == {"Application", "ApplicationSet", "AppProject"}


def test_a_compile_prints_its_warnings_and_ends_well(tmp_path: Path) -> None:
    """Exit 0: the output is there; --strict makes an error of it, and then nothing is written."""
    (tmp_path / "policy.yaml").write_text(PLAIN, encoding="utf-8")
    strict = run("policy.yaml", "--strict", cwd=tmp_path)
    assert (strict.returncode, (tmp_path / "out").exists()) == (1, False)
    result = run("policy.yaml", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (0, "")
    assert "policy.yaml:1:1: warning VSR301: " in result.stderr
    assert (tmp_path / "out" / "small" / "argocd" / "kustomization.yaml").exists()
