"""`vsr-compile import`: the command, its report and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.common import call
from vsr_compiler.diagnostics import Severity
from vsr_compiler.importer.sources import MAX_FILES
from vsr_compiler.pipeline import findings
from vsr_compiler.syntax.fmt import canonical

CONFIG = """\
version: v0.3
listeners: [{name: http, address: 0.0.0.0, port: 8899}]
providers:
  defaults: {model: small}
  models:
    - {name: small, backend_refs: [{endpoint: "small.models:8000"}]}
    - name: large
      backend_refs:
        - base_url: https://api.example.com/v1
          api_key: super-secret-value-1234
routing:
  modelCards: [{name: small}, {name: large}]
  signals:
    keywords: [{name: urgent, operator: OR, keywords: [urgent, asap]}]
  decisions:
    - name: urgent
      priority: 10
      rules: {operator: AND, conditions: [{type: keyword, name: urgent}]}
      modelRefs: [{model: large}]
"""
EXPANDING = "a0: &a0 [x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 8)
)
"""Ten million values once its aliases are expanded."""
SECRET = "super-secret-value-1234"  # noqa: S105 - of the source above


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder with a configuration."""
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(CONFIG, encoding="utf-8")


def test_the_policy_has_no_errors_and_is_in_canonical_form() -> None:
    """What is written can be compiled at once."""
    result = call("import", "config.yaml", "-o", "team-a.yaml")
    assert (result.exit_code, result.stdout) == (0, "")
    text = Path("team-a.yaml").read_text(encoding="utf-8")
    assert canonical(text, "p") == text
    assert "name: team-a" in text
    assert not [item for item in findings(Path("team-a.yaml")) if item.level is Severity.ERROR]


@pytest.mark.parametrize("report", ["text", "markdown", "json", "sarif"])
def test_a_key_is_in_no_report_and_not_in_the_policy(report: str) -> None:
    """The policy refers to a Secret, and excerpts of the source have asterisks."""
    result = call("import", "config.yaml", "--report", report)
    assert result.exit_code == 0
    assert SECRET not in result.stdout + result.stderr + Path("policy.yaml").read_text(encoding="utf-8")
    assert "VSR529" in result.stdout + result.stderr
    assert "apiKey: {secret: large, key: api-key}" in Path("policy.yaml").read_text(encoding="utf-8")


def test_findings_point_into_the_source() -> None:
    """Line and column of the key, in SARIF as well."""
    run = json.loads(call("import", "config.yaml", "--report", "sarif").stdout)["runs"][0]
    [result] = [item for item in run["results"] if item["ruleId"] == "VSR529"]
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 10
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "config.yaml"


def test_a_policy_that_exists_is_overwritten_only_with_force() -> None:
    """Somebody may have edited it."""
    Path("policy.yaml").write_text("mine", encoding="utf-8")
    result = call("import", "config.yaml")
    assert result.exit_code == 2
    assert "`policy.yaml` already exists" in result.stderr
    assert Path("policy.yaml").read_text(encoding="utf-8") == "mine"
    assert call("import", "config.yaml", "--force").exit_code == 0
    assert "kind: RoutingPolicy" in Path("policy.yaml").read_text(encoding="utf-8")


def test_a_lost_protection_writes_nothing_unless_a_part_is_asked_for() -> None:
    """The error names the decision and the condition; with `--partial` a comment is in the policy."""
    text = CONFIG.replace("{type: keyword, name: urgent}", "{type: safety, name: unsafe}")
    Path("config.yaml").write_text(text, encoding="utf-8")
    result = call("import", "config.yaml")
    assert result.exit_code == 1
    assert "error VSR522: decision `urgent` loses the condition `safety: unsafe`" in result.stderr
    assert not Path("policy.yaml").exists()
    assert call("import", "config.yaml", "--partial").exit_code == 1
    assert Path("policy.yaml").exists()


def test_a_named_file_of_another_form_is_an_error_and_a_file_of_a_folder_is_not() -> None:
    """A folder may have manifests that say nothing about routing."""
    Path("notes.yaml").write_text("just: notes\n", encoding="utf-8")
    Path("more").mkdir()
    Path("more/claim.yaml").write_text("apiVersion: v1\nkind: PersistentVolumeClaim\n", encoding="utf-8")
    Path("more/broken.yaml").write_text("a: [\n", encoding="utf-8")
    result = call("import", "config.yaml", "notes.yaml")
    assert result.exit_code == 1
    assert "notes.yaml:1:1: error VSR520" in result.stderr
    result = call("import", "config.yaml", "more")
    assert result.exit_code == 0
    assert "note VSR521" in result.stderr
    assert "more/broken.yaml:2:1: warning VSR002" in result.stderr


def test_standard_input_and_output_can_be_the_files() -> None:
    """A pipeline needs no files; the report then must be text."""
    result = call("import", "-", "-o", "-", stdin=CONFIG)
    assert result.exit_code == 0
    assert "kind: RoutingPolicy" in result.stdout
    assert call("import", "-", "-o", "-", "--report", "sarif", stdin=CONFIG).exit_code == 2


@pytest.mark.parametrize(
    "text",
    [
        EXPANDING,
        "[" * 5000,
        "{{ .Values.x }}: {{ y }}\n",
        "\x00\x01",
        "x" * (5 * 1024 * 1024),
        "kind: List\nitems: " + "[{a: b}," * 30,
        "<<: *missing\n",
    ],
)
def test_hostile_files_end_in_a_clear_refusal(text: str) -> None:
    """Whatever a file holds, the command ends with a finding and writes nothing."""
    Path("hostile.yaml").write_text(text, encoding="utf-8")
    result = call("import", "hostile.yaml")
    assert result.exit_code == 1
    assert "error VSR" in result.stderr
    assert "VSR900" not in result.stderr
    assert not Path("policy.yaml").exists()


def test_the_number_of_files_of_a_folder_is_bounded() -> None:
    """A folder that was named by mistake ends the command."""
    Path("many").mkdir()
    for number in range(MAX_FILES + 1):
        Path(f"many/{number}.yaml").touch()
    result = call("import", "many")
    assert result.exit_code == 1
    assert f"more than {MAX_FILES} files" in result.stderr


def test_all_warnings_are_errors_with_strict() -> None:
    """For pipelines that accept no loss."""
    assert call("import", "config.yaml", "--strict").exit_code == 1


def test_a_target_becomes_an_environment() -> None:
    """Without it the policy has none."""
    assert call("import", "config.yaml", "--target", "agentgateway").exit_code == 0
    assert "dev: {target: agentgateway}" in Path("policy.yaml").read_text(encoding="utf-8")
    result = call("import", "config.yaml", "-o", "b.yaml", "--target", "nginx")
    assert result.exit_code == 2
    assert "`nginx` is none of" in result.stderr
