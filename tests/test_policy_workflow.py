"""The pull-request workflow: what it may do, and what it makes of each exit code."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from support.common import ROOT
from vsr_compiler.review.diff_markdown import marker

PATH = ROOT / ".github" / "workflows" / "policy.yaml"


def workflow() -> dict[str, Any]:
    """The file as data."""
    found = YAML(typ="safe").load(PATH.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def script(name: str) -> str:
    """What a step of the first job runs."""
    return str(next(step["run"] for step in workflow()["jobs"]["check"]["steps"] if step.get("name") == name))


def test_only_the_job_that_runs_nothing_of_the_pull_request_may_write() -> None:
    """Nothing by default, reading for the one that installs and runs, comments for the other."""
    found = workflow()
    assert found["permissions"] == {}
    assert found["jobs"]["check"]["permissions"] == {"contents": "read"}
    comment = found["jobs"]["comment"]
    assert comment["permissions"] == {"pull-requests": "write"}
    assert not [step for step in comment["steps"] if "run" in step or "checkout" in step.get("uses", "")]


def test_no_expression_is_pasted_into_a_script() -> None:
    """What a pull request says reaches scripts as data."""
    for job in workflow()["jobs"].values():
        for step in job["steps"]:
            assert "${{" not in step.get("run", "") + step.get("with", {}).get("script", "")


def test_it_finds_its_comment_by_the_marker_that_diff_writes() -> None:
    """One sticky comment a policy."""
    text = str(workflow()["jobs"]["comment"]["steps"][1]["with"]["script"])
    assert marker("quickstart") == "<!-- vsr-compile diff: quickstart -->"
    assert "/^<!-- vsr-compile diff: [a-z0-9-]+ -->$/" in text


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("code", "output", "expected"),
    [(0, "nothing", 0), (1, "a change", 0), (1, "", 1), (2, "", 1), (70, "x", 1)],
    ids=["same", "different", "does not compile", "nothing to compare with", "our fault"],
)
def test_a_difference_is_no_failure_and_everything_else_is(
    code: int, output: str, expected: int, tmp_path: Path
) -> None:
    """Exit 1 with a comment is what pull requests are for."""
    fake = tmp_path / "bin" / "vsr-compile"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\nprintf "%s" "{output}"\nexit {code}\n', encoding="utf-8")
    fake.chmod(0o755)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "a.yaml").touch()
    environment = os.environ | {
        "PATH": f"{fake.parent}:{os.environ['PATH']}",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "BASE": "x",
    }
    command = ["bash", "-e", "-o", "pipefail", "-c", script("What changes")]
    result = subprocess.run(command, cwd=tmp_path, env=environment, check=False, capture_output=True)
    assert result.returncode == expected
    assert (tmp_path / "summary").read_text(encoding="utf-8") == output
