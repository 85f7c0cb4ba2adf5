"""`vsr-compile init`: a policy that works at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.common import ROOT, call
from vsr_compiler.cli.templates import TEMPLATES, render
from vsr_compiler.diagnostics import Severity
from vsr_compiler.pipeline import findings, read_policy
from vsr_compiler.syntax.fmt import canonical


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("template", TEMPLATES)
def test_what_is_written_has_no_findings_is_in_form_and_bears_the_files_name(template: str) -> None:
    """The first command after `init` succeeds."""
    result = call("init", "team-a.yaml", "--template", template)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.endswith("then run: vsr-compile team-a.yaml\n")
    path = Path("team-a.yaml")
    assert findings(path) == []
    assert read_policy(path).name == "team-a"
    text = path.read_text(encoding="utf-8")
    assert canonical(text, "p") == text


def test_without_arguments_it_is_policy_yaml_and_the_shortest() -> None:
    """Under 15 lines, with two models, a category and a default."""
    call("init")
    linked = read_policy(Path("policy.yaml"))
    assert len(Path("policy.yaml").read_text(encoding="utf-8").splitlines()) < 15
    assert (linked.name, len(linked.models), len(linked.categories)) == ("policy", 2, 1)


def test_a_file_that_exists_is_never_overwritten() -> None:
    """Not even an empty one, nor what a link leads to."""
    Path("policy.yaml").write_text("mine", encoding="utf-8")
    Path("link.yaml").symlink_to("nowhere.yaml")
    for name in ("policy.yaml", "link.yaml"):
        result = call("init", name)
        assert result.exit_code == 2
        assert f"`{name}` already exists" in result.stderr
    assert Path("policy.yaml").read_text(encoding="utf-8") == "mine"
    assert not Path("nowhere.yaml").exists()


def test_a_folder_that_is_not_there_is_a_finding() -> None:
    """With the reason."""
    result = call("init", "none/policy.yaml")
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "none/policy.yaml: error VSR500: cannot write the file: no such file or directory\n"
    )


def test_a_name_that_is_no_label_is_not_taken_from_the_file() -> None:
    """The policy is valid whatever its file is called."""
    call("init", "Über uns.yaml")
    assert read_policy(Path("Über uns.yaml")).name == "policy"


def test_the_shortest_policy_is_the_one_under_policies() -> None:
    """So that its compiled output can be looked at."""
    assert (ROOT / "policies" / "minimal.yaml").read_text(encoding="utf-8") == render("minimal", "minimal")


def test_what_to_run_next_can_be_pasted() -> None:
    """A name with a blank is quoted."""
    assert call("init", "my policy.yaml").stderr.endswith("vsr-compile 'my policy.yaml'\n")


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("target", ["agentgateway", "llm-d"])
def test_the_gateway_stack_can_be_chosen(template: str, target: str) -> None:
    """Every environment has it, and the policy has no errors."""
    call("init", "team-a.yaml", "--template", template, "--target", target)
    path = Path("team-a.yaml")
    assert read_policy(path).targets == (target,)
    text = path.read_text(encoding="utf-8")
    assert canonical(text, "p") == text
    assert not [item for item in findings(path) if item.level is Severity.ERROR]


def test_a_stack_that_nobody_knows_is_refused_with_a_list() -> None:
    """Nothing is written."""
    result = call("init", "--target", "agent-gateway")
    assert result.exit_code == 2
    assert "agentgateway" in result.stderr
    assert not Path("policy.yaml").exists()
