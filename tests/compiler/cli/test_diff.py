"""`vsr-compile diff` as a reviewer and a pipeline meet it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from support.command import run
from support.gitops_support import PLAIN
from vsr_schemas.reports_diff import DiffReport


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A policy and its output."""
    (tmp_path / "policy.yaml").write_text(PLAIN, encoding="utf-8")
    assert run("policy.yaml", cwd=tmp_path).returncode == 0
    return tmp_path


def edit(project: Path, *pairs: tuple[str, str]) -> None:
    """Change the policy."""
    text = (project / "policy.yaml").read_text(encoding="utf-8")
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new)
    (project / "policy.yaml").write_text(text, encoding="utf-8")


def test_no_difference_is_exit_0_and_nothing_on_stdout(project: Path) -> None:
    """What was compiled is what is there."""
    result = run("diff", "policy.yaml", "--against", "out/small", cwd=project)
    assert (result.returncode, result.stdout) == (0, "")
    assert "nothing changes" in result.stderr


def test_a_difference_is_exit_1_with_traffic_first_and_nothing_is_written(project: Path) -> None:
    """In words, then object by object."""
    edit(project, ("default: big", "default: little"))
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    result = run("diff", "policy.yaml", "--against", "out/small", cwd=project)
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert lines[0].startswith("small against out/small: 1 change for traffic")
    assert lines[1] == "    default: big → little"
    assert "~ router/config.yaml" in lines
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_breaking_is_exit_1_only_for_what_breaks_somebody(project: Path) -> None:
    """A new default is a change; a model that is gone is a broken client."""
    edit(project, ("default: big", "default: little"))
    assert run("diff", "policy.yaml", "--against", "out", "--breaking", cwd=project).returncode == 0
    edit(
        project,
        ("  big: {checkpoint: example/big, endpoints: [one]}", "  huge: {checkpoint: example/big, endpoints: [one]}"),
    )
    result = run("diff", "policy.yaml", "--against", "out", "--breaking", cwd=project)
    assert result.returncode == 1
    assert "  ! model big is gone: whoever names it is refused [model dropped]" in result.stdout


def test_each_format_is_what_its_readers_take(project: Path) -> None:
    """Markdown for a comment, JSON for a program."""
    edit(project, ("default: big", "default: little"))
    shown = run("diff", "policy.yaml", "--against", "out", "--format", "markdown", cwd=project)
    assert (shown.returncode, shown.stdout.splitlines()[0]) == (1, "<!-- vsr-compile diff: small -->")
    data = run("diff", "policy.yaml", "--against", "out", "--format", "json", cwd=project)
    report = DiffReport.model_validate(json.loads(data.stdout))
    assert [each.text for each in report.traffic] == ["default: big → little"]
    assert report.different
    assert not report.breaking


@pytest.mark.subprocess
def test_nothing_to_compare_with_is_exit_2(project: Path) -> None:
    """A pipeline must not take it for a difference."""
    result = run("diff", "policy.yaml", "--against", "nowhere", cwd=project)
    assert result.returncode == 2
    assert "VSR305" in result.stderr
    assert run("diff", "policy.yaml", cwd=project).returncode == 2


def test_an_earlier_output_that_is_broken_is_named_and_never_a_traceback(project: Path) -> None:
    """Which file, and why."""
    (project / "out" / "small" / "router" / "config.yaml").write_text("a: [", encoding="utf-8")
    result = run("diff", "policy.yaml", "--against", "out", cwd=project)
    assert result.returncode == 2
    assert "out:router/config.yaml" in result.stderr
    assert "VSR306" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_policy_that_does_not_compile_is_exit_1_with_its_findings(project: Path) -> None:
    """The same messages as a compile."""
    edit(project, ("default: big", "default: bgi"))
    result = run("diff", "policy.yaml", "--against", "out", cwd=project)
    assert (result.returncode, result.stdout) == (1, "")
    assert "VSR201" in result.stderr


def many(count: int) -> str:
    """A policy of many models on Services that exist."""
    endpoints = "".join(f"  e{i}: {{service: {{name: e{i}, port: 8000}}}}\n" for i in range(count))
    models = "".join(f"  m{i}: {{endpoints: [e{i}]}}\n" for i in range(count))
    head = PLAIN[: PLAIN.index("endpoints:")]
    return f"{head}endpoints:\n{endpoints}models:\n{models}default: m0\n"


def test_another_endpoint_for_one_of_200_models_is_a_small_review(tmp_path: Path) -> None:
    """At most 12 files, and a diff that fits a screen."""
    policy = tmp_path / "policy.yaml"
    policy.write_text(many(200), encoding="utf-8")
    assert run("policy.yaml", cwd=tmp_path).returncode == 0
    shutil.copytree(tmp_path / "out", tmp_path / "before")
    text = policy.read_text(encoding="utf-8").replace(
        "models:\n", "  e7-new: {service: {name: e7-new, port: 8000}}\nmodels:\n"
    )
    policy.write_text(text.replace("[e7]", "{e7: 90, e7-new: 10}"), encoding="utf-8")
    shown = run("diff", "policy.yaml", "--against", "out", cwd=tmp_path)
    assert shown.returncode == 1
    assert "    model m7: e7 → e7 90 %, e7-new 10 %" in shown.stdout.splitlines()
    assert len(shown.stdout.splitlines()) <= 40
    assert run("policy.yaml", cwd=tmp_path).returncode == 0
    after = {
        path.relative_to(tmp_path / "out"): path.read_bytes()
        for path in (tmp_path / "out").rglob("*")
        if path.is_file()
    }
    before = {path: tmp_path / "before" / path for path in after}
    touched = [path for path in after if not before[path].exists() or before[path].read_bytes() != after[path]]
    assert 0 < len(touched) <= 12


def test_conditions_decide_whether_a_pipeline_fails(project: Path) -> None:
    """Without one that holds a difference is no failure; an effect that was not measured is one."""
    (project / "traffic.jsonl").write_text('{"prompt": "Hello"}\n', encoding="utf-8")
    edit(project, ("default: big", "default: little"))
    words = ["diff", "policy.yaml", "--against", "out/small"]
    assert run(*words, "--fail-on", "breaking", cwd=project).returncode == 0
    unknown = run(*words, "--fail-on", "breaking,unblocked>0", cwd=project)
    assert (unknown.returncode, unknown.stderr.splitlines()[-1]) == (1, "error: unblocked>0")
    replay = ["impact", "out/small", "policy.yaml", "--traffic", "traffic.jsonl", "--jobs", "1", "--format", "json"]
    measured = run(*replay, cwd=project)
    assert measured.returncode == 0, measured.stderr
    (project / "effect.json").write_text(measured.stdout, encoding="utf-8")
    words += ["--impact", "effect.json"]
    assert run(*words, "--fail-on", "breaking,unblocked>0", cwd=project).returncode == 0
    assert run(*words, "--fail-on", "model>50%", cwd=project).returncode == 1
    comment = run(*words, "--format", "markdown", cwd=project).stdout
    assert comment.startswith("<!-- vsr-compile diff: small -->\n")
    assert "### Traffic" in comment
    assert json.loads(run(*words, "--format", "json", cwd=project).stdout)["impact"]["requests"] == 1
    wrong = run(*replay, "--fail-on", "breaking", cwd=project)
    assert (wrong.returncode, "`vsr-compile diff --fail-on` knows" in wrong.stderr) == (2, True)
