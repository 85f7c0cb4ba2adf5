"""`verify` for other repositories: the extra, the GitHub Action, the pre-commit hook and the image."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from support.common import ROOT

CLEAN = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: models}
data: {level: info}
"""
BROKEN = """\
apiVersion: v1
kind: Service
metadata: {name: vllm, namespace: models}
spec: {selector: {app: vllm}, ports: [{port: eighty}]}
"""
COMMAND = [sys.executable, "-c", "from vsr_compiler.cli import main; main()"]
ONLY_THESE = """\
import importlib.abc, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name.partition(".")[0] in set(sys.argv[1].split(",")):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from vsr_compiler.cli import main

sys.argv[:] = ["vsr-compile", *sys.argv[2:]]
main()
"""
"""Runs the command line as if some packages were not installed."""


def loaded(name: str) -> Any:
    """Return a YAML file of the repository."""
    return YAML(typ="safe").load((ROOT / name).read_text(encoding="utf-8"))


def packages_of(*extras: str) -> set[str]:
    """Return the import packages of the distributions that an installation with these extras has."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    queue = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    found: set[str] = set()
    while queue:
        requirement = queue.pop()
        name = re.split(r"[\[<>=;~! ]", requirement)[0].lower().replace("_", "-")
        wanted = re.search(r"\[([^\]]*)\]", requirement)
        if name == project["name"]:
            queue += [line for extra in (wanted[1] if wanted else "").split(",") for line in extras_of(project, extra)]
        elif name not in found:
            found.add(name)
            # What an extra of a package needs is not followed, and neither is what its marker excludes.
            queue += [line for line in importlib.metadata.requires(name) or [] if ";" not in line]
    by_package = importlib.metadata.packages_distributions()
    normalised = {
        package: {item.lower().replace("_", "-") for item in distributions}
        for package, distributions in by_package.items()
    }
    return {package for package, distributions in normalised.items() if distributions & found}


def extras_of(project: dict[str, Any], extra: str) -> list[str]:
    """Return the requirements of an extra."""
    lines: list[str] = project["optional-dependencies"].get(extra, [])
    return lines


@pytest.mark.subprocess
def test_verify_needs_nothing_but_its_extra(tmp_path):
    """No model, no server and no tokenizer is installed by `pip install 'vsr-compile[verify]'`."""
    (tmp_path / "clean.yaml").write_text(CLEAN)
    (tmp_path / "broken.yaml").write_text(BROKEN)
    allowed = packages_of("verify")
    assert {"kubernetes", "pydantic", "click"} <= allowed
    others = {name for name in importlib.metadata.packages_distributions() if name.isidentifier()} - allowed
    absent = sorted(others - {"vsr_compiler", "vsr_runtime", "vsr_schemas", "site", "_distutils_hack"})
    assert {"numpy", "onnxruntime", "tokenizers", "msgspec", "grpc"} <= set(absent)
    command = [sys.executable, "-c", ONLY_THESE, ",".join(absent), "verify", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "2 objects verified" in done.stderr
    assert "broken.yaml:4" in done.stderr
    assert done.returncode == 1


def steps() -> dict[str, dict[str, Any]]:
    """Return the named steps of the action."""
    return {step["name"]: step for step in loaded("action.yml")["runs"]["steps"] if "name" in step}


def test_the_action_executes_no_input_as_a_script():
    """Inputs and contexts reach scripts by the environment only."""
    for step in steps().values():
        assert "${{" not in step.get("run", "")


def run_action(folder: Path, paths: str, arguments: str = "--no-envoy") -> tuple[int, str, Path]:
    """Run the action's step as a runner does. Return its code, the code that it hands on, and the findings' file."""
    binaries = folder / "runner" / "vsr-compile" / "bin"
    binaries.mkdir(parents=True)
    script = binaries / "vsr-compile"
    script.write_text(f'#!/bin/sh\nexec {shlex.join(COMMAND)} "$@"\n')
    script.chmod(0o755)
    output = folder / "output"
    output.touch()
    environment = os.environ | {
        "RUNNER_TEMP": str(folder / "runner"),
        "GITHUB_OUTPUT": str(output),
        "PATHS": paths,
        "ARGUMENTS": arguments,
        "SARIF": "findings.sarif",
    }
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", steps()["Verify"]["run"]]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, output.read_text(), folder / "findings.sarif"


@pytest.mark.subprocess
@pytest.mark.parametrize(("text", "code"), [(CLEAN, 0), (BROKEN, 1)])
def test_the_action_writes_sarif_and_fails_by_its_last_step(tmp_path, text, code):
    """Findings are uploaded before the job fails."""
    (tmp_path / "manifests").mkdir()
    (tmp_path / "manifests" / "object.yaml").write_text(text)
    status, handed_on, findings = run_action(tmp_path, "manifests")
    assert status == 0
    assert handed_on == f"code={code}\n"
    results = json.loads(findings.read_text())["runs"][0]["results"]
    assert any(result["level"] == "error" for result in results) == bool(code)
    assert steps()["Fail if there is an error"]["env"]["CODE"] == "${{ steps.verify.outputs.code }}"


@pytest.mark.subprocess
def test_the_action_fails_where_nothing_was_checked(tmp_path):
    """An empty folder is not a success."""
    (tmp_path / "manifests").mkdir()
    status, handed_on, _ = run_action(tmp_path, "manifests")
    assert status != 0
    assert handed_on == "code=2\n"


@pytest.mark.subprocess
def test_a_path_of_the_action_is_never_a_command(tmp_path):
    """What is not a file is an error that the last step reports."""
    _, handed_on, _ = run_action(tmp_path, "$(touch made) ;touch made `touch made`", "--no-envoy $(touch made)")
    assert handed_on == "code=1\n"
    assert not (tmp_path / "made").exists()


@pytest.mark.subprocess
def test_the_hook_checks_all_manifests_together(tmp_path):
    """A reference may lead to a file that the commit does not change."""
    hook = next(item for item in loaded(".pre-commit-hooks.yaml") if item["id"] == "vsr-compile-verify")
    assert hook["pass_filenames"] is False
    assert hook["additional_dependencies"] == [".[verify]"]
    assert re.search(hook["files"], "apps/base/service.yaml")
    (tmp_path / "object.yaml").write_text(BROKEN)
    program, *words = hook["entry"].split()
    assert program == "vsr-compile"
    command = [*COMMAND, *words, *hook["args"], "--no-envoy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "object.yaml:4" in done.stderr


def test_the_image_of_the_checker_has_the_extra_and_runs_without_privileges():
    """The image for pipelines installs no model and runs as an ordinary user."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    stage = text[text.index("AS build-verify") : text.index("# torch's wheels")]
    assert "pip install '/src[verify]'" in stage
    assert "USER 65532:65532" in stage
    assert 'ENTRYPOINT ["vsr-compile"]' in stage
