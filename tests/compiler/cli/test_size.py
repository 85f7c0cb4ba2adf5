"""`vsr-compile size`."""

from __future__ import annotations

from pathlib import Path

import pytest
from ruamel.yaml import YAML

from support.common import SMALL, call
from vsr_schemas.reports_size import SizeReport

ENVIRONMENTS = "environments: {prod: {target: istio, replicas: {router: 9}}, dev: {target: istio}}\n"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A policy with environments."""
    path = tmp_path / "p.yaml"
    path.write_text(SMALL + ENVIRONMENTS, encoding="utf-8")
    return path


def test_a_load_is_sized_and_what_is_too_small_is_noted(policy: Path) -> None:
    """The report goes to stdout, the note with its place to stderr; both are no failure."""
    result = call("size", policy, "--rps", "5000")
    assert result.exit_code == 0
    assert "replicas with 1 CPU" in result.stdout
    assert "note VSR585: `replicas` is 2" in result.stderr
    assert f"{policy}:" in result.stderr


def test_an_environment_is_compared_by_what_it_has(policy: Path) -> None:
    """One with more replicas has enough."""
    rps = ("--rps", "800", "--format", "json")
    small, enough = (call("size", policy, *rps, "--env", name) for name in ("dev", "prod"))
    assert "VSR585" in small.stderr
    assert "VSR585" not in enough.stderr
    reports = [SizeReport.model_validate_json(each.stdout) for each in (small, enough)]
    assert [each.environment for each in reports] == ["dev", "prod"]
    assert reports[0].replicas == reports[1].replicas <= 9


def test_what_it_says_to_write_is_valid_and_enough(policy: Path) -> None:
    """Written into the policy, nothing is left to note."""
    report = SizeReport.model_validate_json(call("size", policy, "--rps", "5000", "--format", "json").stdout)
    words = YAML(typ="safe").load(report.policy_words)["router"]
    written = SMALL.replace("router: {", f"router: {{{str(words)[1:-1]}, ".replace("'", '"'))
    policy.write_text(written, encoding="utf-8")
    assert call("check", policy).exit_code == 0
    assert call("size", policy, "--rps", "5000").stderr == ""


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("--rps", "0"),
        ("--rps", "-1"),
        ("--rps", "nan"),
        ("--rps", "inf"),
        ("--rps", "1e30"),
        ("--rps", "many"),
        ("--rps", "1", "--tokens", "0"),
        ("--rps", "1", "--tokens", "1.5"),
        ("--rps", "1", "--env", "nowhere"),
    ],
)
def test_a_load_that_is_none_is_a_usage_error(policy: Path, flags: tuple[str, ...]) -> None:
    """Exit code 2, and nothing on stdout."""
    result = call("size", policy, *flags)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "Error" in result.stderr


def test_a_table_that_cannot_be_read_is_named(policy: Path, tmp_path: Path) -> None:
    """Exit code 1."""
    result = call("size", policy, "--rps", "1", "--measured", tmp_path / "none.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "none.json: error VSR583" in result.stderr
