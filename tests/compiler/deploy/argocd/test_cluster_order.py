"""The how-to's order of clusters: its patch fits what the compiler writes, and Argo CD's definition accepts it."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.command import run
from support.common import ROOT
from support.gitops_support import build

PAGE = ROOT / "docs" / "how-to" / "run-in-several-clusters.md"
LABEL = "vsr.dev/environment"
WRONG_LABEL = "- {op: add, path: /spec/template/metadata/labels/tier, value: a b}\n      "


@cache
def blocks() -> tuple[str, ...]:
    """The YAML blocks of the page: the policy, then the kustomization."""
    return tuple(re.findall(r"^```yaml\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL))


def patched(folder: Path, change: tuple[str, str] = ("", "")) -> str:
    """What `kubectl kustomize` makes of the page's folder, with a change of its text."""
    policy, kustomization = blocks()[0], next(text for text in blocks() if "RollingSync" in text)
    (folder / "policies").mkdir()
    (folder / "policies" / "shop.yaml").write_text(policy, encoding="utf-8")
    result = run("policies", cwd=folder)
    assert result.returncode == 0, result.stderr
    place = folder / "deploy" / "argocd"
    place.mkdir(parents=True)
    assert change[0] in kustomization
    (place / "kustomization.yaml").write_text(kustomization.replace(*change), encoding="utf-8")
    return build(place)


def application_set(text: str) -> dict[str, Any]:
    """The ApplicationSet of a build."""
    (found,) = [item for item in yaml.safe_load_all(text) if item["kind"] == "ApplicationSet"]
    return dict(found)


def labels(spec: dict[str, Any]) -> dict[str, str]:
    """The label of each Application that the set creates, by its name."""
    made = {}
    for element in spec["generators"][0]["list"]["elements"]:
        text = json.dumps(spec["template"]["metadata"])
        for name, value in element.items():
            text = text.replace(f"{{{{ .{name} }}}}", value)
        metadata = json.loads(text)
        made[metadata["name"]] = metadata["labels"][LABEL]
    return made


@pytest.mark.subprocess
def test_every_cluster_is_in_exactly_one_step(tmp_path: Path) -> None:
    """Argo CD never syncs an Application that is in no step."""
    spec = application_set(patched(tmp_path))["spec"]
    assert spec["strategy"]["type"] == "RollingSync"
    steps = [step["matchExpressions"] for step in spec["strategy"]["rollingSync"]["steps"]]
    order = [value for (one,) in steps for value in one["values"]]
    assert all((one["key"], one["operator"]) == (LABEL, "In") for (one,) in steps)
    assert labels(spec) == {"shop-prod-ohio": "prod-ohio", "shop-prod-paris": "prod-paris"}
    assert order == ["prod-ohio", "prod-paris"]
    # The controller keeps `prune` of the template when it turns off automated sync.
    assert spec["template"]["spec"]["syncPolicy"]["automated"]["prune"] is True


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("change", "code"),
    [
        pytest.param(("", ""), 0, id="as on the page"),
        pytest.param(("rollingSync:", "rollingsync:"), 1, id="a misspelt field"),
        pytest.param(("values: [prod-ohio]", "values: prod-ohio"), 1, id="a value that is no list"),
        pytest.param(
            ("- op: add\n        path: /spec/strategy\n", f"{WRONG_LABEL}- op: add\n        path: /spec/strategy\n"),
            1,
            id="a label that is no template",
        ),
    ],
)
def test_argo_cds_definition_accepts_the_patched_set(change: tuple[str, str], code: int, tmp_path: Path) -> None:
    """And refuses one with a fault, so that the acceptance says something."""
    (tmp_path / "built.yaml").write_text(patched(tmp_path, change), encoding="utf-8")
    result = run("verify", "built.yaml", cwd=tmp_path)
    assert result.returncode == code, result.stdout + result.stderr


def test_both_forms_have_the_same_label() -> None:
    """So that the order can be seen in either."""
    for policy, folder in (("quickstart", "out/quickstart/argocd"), ("llm-d", "out/llm-d/argocd")):
        spec = yaml.safe_load((ROOT / folder / "applicationset" / f"applicationset-{policy}.yaml").read_text())["spec"]
        alone = [yaml.safe_load(path.read_text()) for path in (ROOT / folder).glob("application-*.yaml")]
        assert alone
        assert labels(spec)
        found = {item["metadata"]["name"]: item["metadata"]["labels"][LABEL] for item in alone}
        assert labels(spec).items() <= found.items()


@pytest.mark.subprocess
def test_what_argo_cd_fills_in_is_no_finding(tmp_path: Path) -> None:
    """A label of the template is no label yet, and nobody has to fill it in."""
    patched(tmp_path)
    result = run("verify", "out/shop/argocd/applicationset", cwd=tmp_path)
    assert result.returncode == 0
    assert "VSR" not in result.stdout + result.stderr
