"""``vsr-compile status`` for an environment on several clusters: one look at each, and one report."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.common import call
from support.fake_cluster import FakeCluster, kubeconfig, running
from support.live_policies import applied

TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: shop}
router: {image: "registry.example/vsr-runtime:0.1.0"}
gitops:
  repo: https://git.example.com/team/routing.git
  clusters: {paris: {}, ohio: {}}
endpoints: {small: {service: "small:8000"}, large: {service: "large:8000"}}
models: {small: {endpoints: small}, large: {endpoints: large}}
signals: {hard: {keywords: [prove]}}
routes: [{name: hard, when: {signal: hard}, model: large}]
default: small
environments:
  prod:
    target: istio
    clusters: {paris: {region: eu}, ohio: {region: us}}
"""
Clusters = dict[str, FakeCluster]


@pytest.fixture
def clusters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clusters]:
    """Two clusters, each with its own overlay, and the policy in the working folder."""
    monkeypatch.chdir(tmp_path)
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    Path("shop.yaml").write_text(TEXT, encoding="utf-8")
    assert call("compile", "shop.yaml").exit_code == 0
    with running() as paris, running() as ohio:
        applied(paris, Path("out/shop").resolve(), "prod-paris")
        applied(ohio, Path("out/shop").resolve(), "prod-ohio")
        place = tmp_path / "kubeconfig"
        contexts = (("paris", paris.url), ("kind-ohio", ohio.url), ("gone", "http://127.0.0.1:9"))
        place.write_text(kubeconfig(*contexts), encoding="utf-8")
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(place))
        yield {"paris": paris, "ohio": ohio}


def test_an_environment_is_live_if_it_is_live_on_every_cluster(clusters: Clusters) -> None:
    """A cluster without a context of its own is asked by its name."""
    result = call("status", "shop.yaml", "--env", "prod", "--context", "ohio=kind-ohio")
    assert result.exit_code == 0, result.output
    assert "cluster paris: shop, environment prod-paris (istio)" in result.stdout
    assert "cluster ohio: shop, environment prod-ohio (istio)" in result.stdout
    assert "shop, environment prod: live on 2 of 2 clusters" in result.stdout
    assert clusters["paris"].url != clusters["ohio"].url


@pytest.mark.usefixtures("clusters")
def test_one_cluster_is_still_asked_by_itself() -> None:
    """By the name of its overlay, and a context without a cluster."""
    result = call("status", "shop.yaml", "--env", "prod-ohio", "--context", "kind-ohio")
    assert result.exit_code == 0, result.output
    assert "cluster" not in result.stdout


@pytest.mark.usefixtures("clusters")
def test_a_cluster_that_cannot_be_asked_does_not_hide_the_others() -> None:
    """The report names it, in JSON too."""
    arguments = ("status", "shop.yaml", "--env", "prod", "--context", "ohio=gone", "--format", "json")
    result = call(*arguments)
    report = json.loads(result.stdout)
    assert (result.exit_code, report["live"]) == (1, False)
    states = {item["cluster"]: item["report"] and item["report"]["live"] for item in report["clusters"]}
    assert states == {"ohio": None, "paris": True}
    assert next(item["unreachable"] for item in report["clusters"] if item["cluster"] == "ohio")
    assert "cluster ohio: error VSR573" in result.stderr


@pytest.mark.usefixtures("clusters")
def test_the_summary_names_the_clusters_that_are_not_live() -> None:
    """After the reports of all clusters."""
    result = call("status", "shop.yaml", "--env", "prod", "--context", "ohio=paris", "--context", "paris=gone")
    assert result.exit_code == 1
    assert "live on 1 of 2 clusters; not on paris" in result.stdout


@pytest.mark.usefixtures("clusters")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--env", "prod", "--context", "kind-ohio"), "is not CLUSTER=NAME"),
        (("--env", "prod", "--context", "tokyo=kind"), "`ohio`, `paris`"),
        (("--env", "prod", "--context", "ohio="), "is not CLUSTER=NAME"),
        (("--env", "prod", "--context", "ohio=a", "--context", "ohio=b"), "twice"),
        (("--env", "prod-ohio", "--context", "a", "--context", "b"), "several clusters"),
    ],
    ids=["no cluster", "an unknown cluster", "no context", "a cluster twice", "two contexts of one cluster"],
)
def test_wrong_contexts_are_explained(arguments: tuple[str, ...], words: str) -> None:
    """Before any cluster is asked."""
    result = call("status", "shop.yaml", *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


@pytest.mark.usefixtures("clusters")
def test_roles_are_printed_for_one_cluster_at_a_time() -> None:
    """They name the Application of the cluster, so those of another cluster would replace them."""
    result = call("status", "shop.yaml", "--env", "prod", "--rbac")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "`prod-ohio`, `prod-paris`" in " ".join(result.stderr.split())
    assert "shop-prod-ohio" in call("status", "shop.yaml", "--env", "prod-ohio", "--rbac").stdout
