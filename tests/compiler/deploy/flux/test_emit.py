"""The objects of Flux: sources, Kustomizations in the order of a rollout, names and addresses that Flux takes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from support import crds
from support.common import linked, reference
from support.gitops_support import (
    DEV,
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
from support.rollouts.flux import ordered
from vsr_compiler import ir
from vsr_compiler.deploy.flux.sources import source
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import Compiled

FLUX = ir.Flux("flux-system", 600_000, HERE)
WITH_FLUX = replace(GITOPS, flux=FLUX)
EU = ir.Cluster("eu", "https://eu.example.com", "eu-kubeconfig", HERE)


def flux(result: Compiled, environment: str = "dev") -> dict[tuple[str, str], dict[str, Any]]:
    """The objects of an environment, by kind and name."""
    prefix = f"flux/{environment}/"
    return {(item.kind, item.name): item.body for path, item in result.objects.items() if path.startswith(prefix)}


def test_without_flux_nothing_is_written_for_it() -> None:
    """Neither a file, nor an annotation."""
    result = compiled(with_environments(DEV))
    assert not [path for path in result.tree if path.startswith("flux/")]
    assert b"fluxcd" not in b"".join(file.content for file in result.tree.values())


def test_servers_come_before_routes_and_routes_before_the_router() -> None:
    """Each waits for the one before at the same revision, which needs one source."""
    found = flux(compiled(with_environments(DEV, gitops=WITH_FLUX)))
    assert sorted(kind for kind, _ in found) == ["GitRepository", *["Kustomization"] * 3]
    steps = ordered([body for (kind, _), body in found.items() if kind == "Kustomization"])
    assert [body["metadata"]["name"] for body in steps] == ["small-dev-servers", "small-dev-routes", "small-dev-router"]
    for body in steps:
        spec = body["spec"]
        assert (spec["prune"], spec["wait"], spec["deletionPolicy"]) == (True, True, "Orphan")
        assert spec["sourceRef"] == {"kind": "GitRepository", "name": "small-dev"}
        assert spec["path"] == "./out/small/istio/overlays/dev"


@pytest.mark.subprocess
def test_the_three_kustomizations_apply_each_object_once(tmp_path: Path) -> None:
    """As kustomize builds the overlay with their patches."""
    folder = written(compiled(with_environments(DEV, PROD, gitops=WITH_FLUX)), tmp_path / "out")
    for environment in ("dev", "prod"):
        steps = [item for item in bodies(build(folder / "flux" / environment)) if item["kind"] == "Kustomization"]
        parts: list[str] = []
        for item in steps:
            own = tmp_path / item["metadata"]["name"]
            own.mkdir()
            path = item["spec"]["path"].removeprefix("./")
            content = {"resources": [f"../{path}"], "patches": item["spec"]["patches"]}
            (own / "kustomization.yaml").write_text(json.dumps(content), encoding="utf-8")
            parts += [json.dumps(body, sort_keys=True) for body in bodies(build(own))]
        whole = bodies(build(folder / "istio" / "overlays" / environment))
        assert sorted(parts) == sorted(json.dumps(body, sort_keys=True) for body in whole)


def test_what_holds_data_of_others_is_not_pruned() -> None:
    """Namespaces contain Secrets, claims contain weights: Flux keeps them, as Argo CD does."""
    result = compiled(with_environments(DEV, gitops=WITH_FLUX))
    kept = {
        (item.kind, item.name)
        for item in result.environments["dev"]
        if "kustomize.toolkit.fluxcd.io/prune" in item.body["metadata"].get("annotations", {})
    }
    assert {kind for kind, _ in kept} == {"Namespace", "PersistentVolumeClaim"}


@pytest.mark.parametrize(
    ("repo", "revision", "url", "ref"),
    [
        ("https://git.example.com/a/b.git", "main", "https://git.example.com/a/b.git", {"branch": "main"}),
        ("git@github.com:a/b.git", "v1.2.3", "ssh://git@github.com/a/b.git", {"tag": "v1.2.3"}),
        ("ssh://git@host:22/a", "refs/tags/release", "ssh://git@host:22/a", {"name": "refs/tags/release"}),
        ("http://git.corp/a", "a" * 40, "http://git.corp/a", {"commit": "a" * 40}),
        ("oci://registry.example.com/routing/small", "v1", "oci://registry.example.com/routing/small", {"tag": "v1"}),
        (
            "oci://registry.example.com:5000/small",
            f"sha256:{'0' * 64}",
            "oci://registry.example.com:5000/small",
            {"digest": f"sha256:{'0' * 64}"},
        ),
    ],
)
def test_a_source_says_what_the_revision_means(repo: str, revision: str, url: str, ref: dict[str, str]) -> None:
    """Git and Argo CD guess whether a name is a branch, Flux is told."""
    body = source("x", replace(GITOPS, repo=repo, revision=revision), FLUX, HERE, "10m").body
    assert (body["spec"]["url"], body["spec"]["ref"]) == (url, ref)
    assert body["kind"] == ("OCIRepository" if repo.startswith("oci:") else "GitRepository")


@pytest.mark.parametrize(
    "change", [{"repo": "/srv/git/routing"}, {"repo": "file:///srv/git"}, {"revision": "HEAD"}], ids=str
)
def test_a_repository_that_flux_cannot_read_is_refused(change: dict[str, str]) -> None:
    """Its API server would refuse the object, or Flux would follow another branch."""
    with pytest.raises(CompileError) as caught:
        compiled(with_environments(DEV, gitops=replace(WITH_FLUX, **change)))
    assert [item.code for item in caught.value.diagnostics] == ["VSR370"]


def test_a_name_that_flux_cannot_write_into_a_label_is_refused() -> None:
    """Every object gets the name of its Kustomization as a label, of at most 63 characters."""
    with pytest.raises(CompileError) as caught:
        compiled(with_environments(replace(DEV, name="d" * 50), gitops=WITH_FLUX))
    assert [item.code for item in caught.value.diagnostics] == ["VSR369"]


def test_from_an_artifact_paths_begin_in_the_output() -> None:
    """`vsr-compile package` puts the folder of the policy at the root of the layer."""
    gitops = replace(WITH_FLUX, repo="oci://registry.example.com/routing/small", revision="v1")
    result = compiled(with_environments(DEV, gitops=gitops))
    paths = {body["spec"]["path"] for (kind, _), body in flux(result).items() if kind == "Kustomization"}
    (application,) = [item.body for item in result.objects.values() if item.kind == "Application"]
    assert paths == {"./istio/overlays/dev"}
    assert application["spec"]["source"] == {
        "repoURL": "oci://registry.example.com/routing/small",
        "targetRevision": "v1",
        "path": "istio/overlays/dev",
    }
    assert "istio/overlays/dev/kustomization.yaml" in result.tree


def test_a_hub_reaches_other_clusters_by_their_kubeconfigs() -> None:
    """Environments of clusters with a Flux of their own are not for the hub."""
    remote = replace(DEV, name="prod-eu", cluster=EU, server=EU.server)
    own = replace(DEV, name="prod-us", cluster=ir.Cluster("us", "https://us.example.com", "", HERE))
    result = compiled(with_environments(remote, own, gitops=WITH_FLUX))
    refs = [body["spec"].get("kubeConfig") for (kind, _), body in flux(result, "prod-eu").items() if kind[0] == "K"]
    assert refs == [{"secretRef": {"name": "eu-kubeconfig"}}] * 3
    assert not [body for body in flux(result, "prod-us").values() if "kubeConfig" in body["spec"]]
    assert b"- prod-eu\n" in result.tree["flux/kustomization.yaml"].content
    assert b"prod-us" not in result.tree["flux/kustomization.yaml"].content


@pytest.mark.parametrize("repo", ["https://git.example.com/a.git", "oci://registry.example.com/small"])
@pytest.mark.parametrize("target", ["istio", "envoy-gateway", "ai-gateway", "llm-d"])
def test_fluxs_own_schemas_take_every_object(repo: str, target: str) -> None:
    """No unknown field, no wrong type; only what controllers fill in is left to default."""
    schemas: dict[tuple[str, str], crds.Schema] = {}
    for folder in sorted((reference() / "crds-newer").glob("flux-*")):
        schemas |= crds.load(folder)
    settings = replace(FLUX, secret="git", service_account="deployer")  # noqa: S106 - the name of a Secret
    gitops = replace(WITH_FLUX, repo=repo, flux=settings)
    environment = replace(DEV, target=target, cluster=EU)
    checked = set()
    for body in flux(compiled(with_environments(environment, gitops=gitops))).values():
        assert crds.problems(schemas[body["apiVersion"], body["kind"]], body) == []
        assert crds.defaulted(schemas[body["apiVersion"], body["kind"]], body) == body
        checked.add(body["kind"])
    assert checked == {"OCIRepository" if repo.startswith("oci") else "GitRepository", "Kustomization"}


def test_the_words_of_a_policy_reach_the_objects() -> None:
    """Namespace, interval, credentials and account."""
    text = f"""{PLAIN}
gitops:
  repo: https://git.example.com/team/routing.git
  flux: {{namespace: delivery, interval: 90s, secret: git, serviceAccount: deployer}}
environments: {{dev: {{target: istio}}}}
"""
    found = flux(compiled(linked(text)))
    assert {body["metadata"]["namespace"] for body in found.values()} == {"delivery"}
    assert {body["spec"]["interval"] for body in found.values()} == {"90s"}
    assert found["GitRepository", "small-dev"]["spec"]["secretRef"] == {"name": "git"}
    assert found["Kustomization", "small-dev-router"]["spec"]["serviceAccountName"] == "deployer"


@pytest.mark.parametrize("repo", ["oci://registry.example.com/small:v1", "oci://", "oci://registry.example.com"])
def test_the_tag_of_an_artifact_is_the_revision(repo: str) -> None:
    """Argo CD and Flux take it apart from the name."""
    text = f"{PLAIN}gitops: {{repo: '{repo}'}}\n"
    with pytest.raises(CompileError) as caught:
        linked(text)
    assert [(item.code, item.span.line) for item in caught.value.diagnostics] == [("VSR370", text.count("\n"))]
