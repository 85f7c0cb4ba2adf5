"""``vsr-compile upgrade``, and the hints of ``diff`` between releases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.common import call

TEXT = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: up}
router: {image: "r:1"}
gateway: {versions: {istio: 1.29.0}}
endpoints: {big: {service: "big:8000"}}
models: {big: {endpoints: big}}
default: big
environments: {dev: {target: istio}}
"""


@pytest.fixture(autouse=True)
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy in an empty folder."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "up.yaml"
    file.write_text(TEXT, encoding="utf-8")
    return file


def test_the_report_has_releases_steps_and_the_change_of_the_policy() -> None:
    """As text for people."""
    result = call("upgrade", "up.yaml", "--to", "istio=1.30.3")
    assert result.exit_code == 0
    assert "1.29.0 → 1.30.3" in result.stdout
    assert "$ helm upgrade istiod istio/istiod --version 1.30.3" in result.stdout
    assert "-gateway: {versions: {istio: 1.29.0}}" in result.stdout
    assert "up.yaml: 1 release, " in result.stderr


def test_the_report_is_markdown_or_json() -> None:
    """Programs read the same facts."""
    markdown = call("upgrade", "up.yaml", "--to", "istio=1.30.3", "--format", "markdown").stdout
    assert "| Istio | 1.29.0 | 1.30.3 |" in markdown
    assert "   helm upgrade istiod istio/istiod --version 1.30.3" in markdown
    data = json.loads(call("upgrade", "up.yaml", "--to", "istio=1.30.3", "--format", "json").stdout)
    assert data["kind"] == "UpgradeReport"
    assert [item["component"] for item in data["releases"]] == ["istio"]
    assert data["policyDiff"]


def test_exit_code_tells_whether_a_release_changes() -> None:
    """Only if asked."""
    assert call("upgrade", "up.yaml", "--to", "istio=1.30.3", "--exit-code").exit_code == 1
    same = call("upgrade", "up.yaml", "--to", "istio=1.29.0", "--exit-code")
    assert (same.exit_code, same.stdout) == (0, "")
    assert "no release changes" in same.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--to", "none"], "There is no profile `none`"),
        (["--to", "istio=0.1.0"], "istio 0.1.0 is not a known release"),
        (["--to", "current", "--environment", "prod"], "There is no environment `prod`. Use one of: dev."),
        ([], "--to"),
    ],
)
def test_what_is_unknown_is_a_usage_error(arguments: list[str], words: str) -> None:
    """With what is known."""
    result = call("upgrade", "up.yaml", *arguments)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())


def test_a_policy_with_errors_is_reported_as_by_check(policy: Path) -> None:
    """At its place."""
    policy.write_text(TEXT.replace("default: big", "default: none"), encoding="utf-8")
    result = call("upgrade", "up.yaml", "--to", "current")
    assert result.exit_code == 1
    assert "up.yaml:8" in result.stderr


def test_diff_names_the_releases_that_change_with_the_same_steps(policy: Path) -> None:
    """Before what the change does to the objects."""
    assert call("up.yaml").exit_code == 0
    policy.write_text(TEXT.replace("1.29.0", "1.30.3"), encoding="utf-8")
    result = call("diff", "up.yaml", "--against", "out")
    assert (
        "releases change: Istio 1.29.0 → 1.30.3; before this change, upgrade what is not in the objects"
        in result.stdout
    )
    assert "helm upgrade istiod istio/istiod --version 1.30.3" in result.stdout
    assert call("diff", "up.yaml", "--against", "out", "--breaking").exit_code == 0


def test_diff_between_equal_releases_has_no_hint(policy: Path) -> None:
    """Also if the output of a project that the target does not use would differ."""
    assert call("up.yaml").exit_code == 0
    policy.write_text(TEXT.replace("{istio: 1.29.0}", "{istio: 1.29.0, envoy-gateway: 1.6.7}"), encoding="utf-8")
    assert "releases change" not in call("diff", "up.yaml", "--against", "out").stdout
