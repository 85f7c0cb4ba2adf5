"""Shell completion."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.common import ROOT, call, required
from vsr_compiler.cli.main import COMMANDS


def completed(words: list[str], cwd: Path) -> list[str]:
    """What the program answers to a shell: lines of type and value."""
    environment = os.environ | {
        "PYTHONPATH": str(ROOT),
        "_VSR_COMPILE_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(words),
        "COMP_CWORD": str(len(words) - 1),
    }
    code = "import sys; sys.argv = ['vsr-compile']; from vsr_compiler.cli import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert result.stderr == ""
    return result.stdout.splitlines()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_a_script_that_calls_the_program(shell: str) -> None:
    """By the variable that click reads."""
    result = call("completion", shell)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"_VSR_COMPILE_COMPLETE={shell}_complete" in result.stdout


def test_an_unknown_shell_is_usage() -> None:
    """With the ones that there are."""
    result = call("completion", "tcsh")
    assert result.exit_code == 2
    assert "fish" in result.stderr


@pytest.mark.subprocess
def test_commands_flags_values_and_files_are_completed(tmp_path: Path) -> None:
    """A first word that begins no command is the path of a policy."""
    assert {line.split(",")[1] for line in completed(["vsr-compile", ""], tmp_path)} == set(COMMANDS)
    assert completed(["vsr-compile", "sch"], tmp_path) == ["plain,schema"]
    assert completed(["vsr-compile", "policies/q"], tmp_path) == ["file,policies/q"]
    assert "plain,--strict" in completed(["vsr-compile", "check", "--s"], tmp_path)
    assert completed(["vsr-compile", "check", "--format", "sa"], tmp_path) == ["plain,sarif"]
    assert completed(["vsr-compile", "fmt", "p"], tmp_path) == ["file,p"]


@pytest.mark.subprocess
def test_bash_takes_the_script_and_completes_with_it(tmp_path: Path) -> None:
    """In a real bash, with the program on its path."""
    bash = shutil.which("bash")
    required(bash, "bash")
    program = tmp_path / "vsr-compile"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nfrom vsr_compiler.cli import main\nmain()\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    (tmp_path / "script").write_text(call("completion", "bash").stdout, encoding="utf-8")
    commands = (
        "source ./script; COMP_WORDS=(vsr-compile sch); COMP_CWORD=1; "
        "_vsr_compile_completion vsr-compile; echo ${COMPREPLY[@]}; complete -p vsr-compile"
    )
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    result = subprocess.run(
        [str(bash), "--norc", "-c", commands], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    lines = result.stdout.splitlines()
    assert lines[0] == "schema"
    assert lines[1].endswith("_vsr_compile_completion vsr-compile")
