"""Environments on several clusters: an overlay for each, and nothing of one cluster in another's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from support.common import linked
from support.gitops_support import bodies, build, compiled, written
from vsr_compiler.cli.main import command
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.pipeline import Compiled, read_policy
from vsr_compiler.review.explain import outputs_of_line
from vsr_compiler.syntax import load

TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: shop}
router: {image: "r:1"}
gateway:
  namespace: edge
  listeners: [{name: api, port: 80, hostnames: [api.example.com]}]
gitops:
  repo: https://git.example.com/team/routing.git
  flux: {}
  clusters:
    eu: {server: "https://eu.example.com", kubeconfig: eu-kubeconfig}
    us: {server: "https://us.example.com"}
    ap: {}
endpoints:
  alpha: {vllm: {}}
models:
  alpha-8b: {checkpoint: example/alpha, endpoints: alpha}
default: alpha-8b
environments:
  prod:
    target: istio
    replicas: {alpha: 2}
    placement: {alpha: {nodeSelector: {gpu: h100}}}
    clusters:
      eu: {region: eu, gateway: {hostnames: {api: [api.eu.example.com]}}}
      us: {region: us, replicas: {alpha: 5}, placement: {alpha: {nodeSelector: {gpu: b200}}}}
      ap: {region: ap, replicas: {router: 4}}
  dev: {target: gie, simulate: true, server: "https://dev.example.com"}
"""


def argo(result: Compiled, kind: str) -> dict[str, dict[str, Any]]:
    """The objects of Argo CD of a kind, by name."""
    return {
        item.name: item.body
        for path, item in result.objects.items()
        if path.startswith("argocd/") and item.kind == kind
    }


def deployment(result: Compiled, environment: str, name: str) -> Any:
    """The spec of a Deployment in an environment."""
    items = result.environments[environment]
    return next(item.body["spec"] for item in items if (item.kind, item.name) == ("Deployment", name))


def test_each_cluster_gets_the_environment_with_its_own_words() -> None:
    """Maps are merged by endpoint, other words are replaced, and what the cluster does not say is the environment's."""
    result = compiled(linked(TEXT))
    assert sorted(result.environments) == ["dev", "prod-ap", "prod-eu", "prod-us"]
    replicas = {name: deployment(result, name, "alpha")["replicas"] for name in ("prod-ap", "prod-eu", "prod-us")}
    assert replicas == {"prod-ap": 2, "prod-eu": 2, "prod-us": 5}
    assert deployment(result, "prod-ap", "semantic-router")["replicas"] == 4
    nodes = {
        name: deployment(result, name, "alpha")["template"]["spec"]["nodeSelector"] for name in ("prod-eu", "prod-us")
    }
    assert nodes == {"prod-eu": {"gpu": "h100"}, "prod-us": {"gpu": "b200"}}
    assert {item.name: item.region for item in result.policy.environments} == {
        "dev": None, "prod-ap": "ap", "prod-eu": "eu", "prod-us": "us",
    }  # fmt: skip


@pytest.mark.subprocess
def test_nothing_of_one_region_is_in_the_tree_of_another(tmp_path: Path) -> None:
    """As kustomize builds each overlay."""
    folder = written(compiled(linked(TEXT)), tmp_path)
    texts = {name: build(folder / "istio" / "overlays" / f"prod-{name}") for name in ("ap", "eu", "us")}
    assert [name for name, text in texts.items() if "api.eu.example.com" in text] == ["eu"]
    assert [name for name, text in texts.items() if "b200" in text] == ["us"]
    for name in texts:
        delivery = build(folder / "flux" / f"prod-{name}")
        assert not [other for other in texts if other != name and f"prod-{other}" in delivery]
    hub = {item["metadata"]["name"] for item in bodies(build(folder / "flux"))}
    assert {"shop-prod-eu-router"} < hub
    assert not [name for name in hub if "prod-eu" not in name]


def test_the_tree_does_not_depend_on_the_order_of_clusters() -> None:
    """A list of clusters that somebody sorted gives the same bytes."""
    lines = TEXT.splitlines(keepends=True)
    rows = [
        at
        for at, line in enumerate(lines)
        if line.startswith(("    eu:", "    us:", "    ap:", "      eu:", "      us:", "      ap:"))
    ]
    turned = list(lines)
    for group in (rows[:3], rows[3:]):
        for at, source in zip(group, reversed(group), strict=True):
            turned[at] = lines[source]
    assert turned != lines
    first, second = compiled(linked(TEXT)), compiled(linked("".join(turned)))
    assert {path: file.content for path, file in first.tree.items()} == {
        path: file.content for path, file in second.tree.items()
    }


def test_argo_cd_finds_a_cluster_by_its_server_or_its_name() -> None:
    """The project allows these clusters and no others, and the set makes the same Applications."""
    result = compiled(linked(TEXT))
    places = {name: body["spec"]["destination"] for name, body in argo(result, "Application").items()}
    assert places["shop-prod-ap"] == {"name": "ap", "namespace": "edge"}
    assert places["shop-prod-eu"] == {"server": "https://eu.example.com", "namespace": "edge"}
    allowed = {
        (item.get("name"), item.get("server")) for item in argo(result, "AppProject")["shop"]["spec"]["destinations"]
    }
    assert allowed == {
        ("ap", None),
        (None, "https://dev.example.com"),
        (None, "https://eu.example.com"),
        (None, "https://us.example.com"),
    }
    generator = argo(result, "ApplicationSet")["shop"]["spec"]
    made = {}
    for element in generator["generators"][0]["list"]["elements"]:
        destination = generator["template"]["spec"]["destination"]
        values = {key: text.replace("{{ .", "").replace(" }}", "") for key, text in destination.items()}
        made[f"shop-{element['environment']}"] = {
            key: element[field] for key, field in values.items() if element[field]
        }
    assert made == places


def test_environments_on_one_cluster_are_reported() -> None:
    """By the server, whatever names the cluster has."""
    result = compiled(linked(TEXT.replace("https://us.example.com", "https://eu.example.com")))
    (finding,) = [item for item in result.warnings if item.code == "VSR303"]
    assert "`prod-eu` and `prod-us`" in finding.message


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        (("      ap: {region: ap, replicas: {router: 4}}", "      mars: {}"), "VSR201", "mars"),
        (("  dev: {target: gie", "  prod-eu: {target: gie"), "VSR369", "`prod-eu`"),
        (("replicas: {router: 4}", "replicas: {gamma: 4}"), "VSR201", "gamma"),
        (("target: istio\n    replicas: {alpha: 2}", 'target: istio\n    server: "https://x.example.com"'), "VSR1", ""),
    ],
    ids=["unknown cluster", "a name twice", "a word of a cluster", "server and clusters"],
)
def test_what_is_wrong_is_reported_at_the_cluster(
    tmp_path: Path, change: tuple[str, str], code: str, words: str
) -> None:
    """Where the words are written, not at the environment."""
    assert change[0] in TEXT
    text = TEXT.replace(*change)
    (tmp_path / "policy.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(CompileError) as caught:
        read_policy(tmp_path / "policy.yaml")
    (finding,) = caught.value.diagnostics
    assert finding.code.startswith(code)
    assert words in finding.message
    if words:
        assert words.strip("`").removeprefix("prod-") in text.splitlines()[finding.span.line - 1]


def test_residency_is_proved_for_every_cluster(tmp_path: Path) -> None:
    """A model in the cluster is in the region of each cluster that runs it."""
    path = tmp_path / "policy.yaml"
    never = "assertions:\n  - never: {to: {outside: eu}}\n"
    only_eu = "".join(
        line for line in TEXT.splitlines(keepends=True) if not line.startswith(("      us:", "      ap:", "  dev:"))
    )
    path.write_text(only_eu + never, encoding="utf-8")
    read_policy(path)
    path.write_text(TEXT + never, encoding="utf-8")
    with pytest.raises(CompileError) as caught:
        read_policy(path)
    assert [item.code for item in caught.value.diagnostics] == ["VSR240"]


def test_explain_leads_from_a_cluster_to_its_overlay(tmp_path: Path) -> None:
    """And from the overlay to the line."""
    policies = tmp_path / "policies"
    policies.mkdir()
    (policies / "shop.yaml").write_text(TEXT, encoding="utf-8")
    written(compiled(read_policy(policies / "shop.yaml")), tmp_path / "out")
    line = next(at for at, text in enumerate(TEXT.splitlines(), 1) if text.startswith("      us: {region"))
    place = str(tmp_path / "out/shop/istio/overlays/prod-us/patches/edge/deployment-alpha.yaml")
    result = CliRunner().invoke(command, ["explain", place, "--policy", str(policies / "shop.yaml")])
    assert result.exit_code == 0, result.output
    assert f"shop.yaml:{line}:" in result.output


def test_a_cluster_without_an_environment_is_reported(tmp_path: Path) -> None:
    """It gets nothing, which is often a forgotten line."""
    (tmp_path / "policy.yaml").write_text(TEXT.replace("      ap: {region: ap, replicas: {router: 4}}\n", ""))
    (finding,) = [item for item in read_policy(tmp_path / "policy.yaml").warnings if "cluster" in item.message]
    assert (finding.code, finding.message) == ("VSR238", "nothing uses cluster `ap`")


@pytest.mark.parametrize(
    ("start", "clusters"),
    [("    replicas: {alpha: 2}", {"ap", "eu"}), ("      us: {region: us", {"us"}), ("  prod:", {"ap", "eu", "us"})],
    ids=["a word of the environment", "a cluster", "the environment"],
)
def test_explain_leads_from_a_line_to_the_overlays_that_it_makes(start: str, clusters: set[str]) -> None:
    """Of every cluster, or of the one whose line it is."""
    lines = TEXT.splitlines()
    line = next(at for at, text in enumerate(lines, 1) if text.startswith(start))
    found = outputs_of_line(compiled(linked(TEXT)), load(TEXT, "policy.yaml"), line)
    overlays = {place.file.split("/")[2] for place in found if place.file.startswith("istio/overlays/")}
    assert {f"prod-{name}" for name in clusters} <= overlays
    assert not [name for name in overlays if len(clusters) == 1 and name != "prod-us"]
