"""Commands in the documentation run as printed, in a copy of the repository.

Pages whose output is compared as well have their own test.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support import command as in_process
from support.common import ROOT

OWN_TESTS = {
    "docs/tutorial.md",
    "docs/how-to/find-names-and-addresses.md",
    "docs/reference/codes.md",
    "docs/reference/verify-rules.md",
}
"""The page with a session of its own, and those whose commands fail on purpose."""
PAGES = sorted({str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")} - OWN_TESTS)
_COMMAND = re.compile(r"^(?:\$ |    )?(vsr-compile .*)$", re.MULTILINE)
ELSEWHERE = re.compile(
    r"my-policy|manifests/|crds/|prompts\.jsonl|crds pull|--server|[$\[{]\w*[^0-9\]]|vsr-compile (?:eval|lsp)|\.lock"
    r"|vsr-compile status (?!.* --rbac$)"
)
"""Commands that need files, a network, a cluster or an editor of the reader, that take long, and usage lines."""


SHELL = re.compile(r"[|<>&;*~$`]")


def commands() -> list[str]:
    """Each command once, without the comment behind it."""
    found = [line for page in PAGES for line in _COMMAND.findall((ROOT / page).read_text(encoding="utf-8"))]
    plain = [re.sub(r"\s+# .*| {3,}in ~.*", "", line).strip() for line in found]
    return [
        line
        for line in dict.fromkeys(plain)
        if not ELSEWHERE.search(line) and not re.search(r" (?!HEAD)[A-Z]{3,}\b", line)
    ]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the commands read, as a clone whose branch is `main` has it."""
    folder = tmp_path_factory.mktemp("clone")
    for name in ("policies", "out", "schemas", "docs"):
        shutil.copytree(ROOT / name, folder / name)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for step in (["init", "-q"], ["add", "."], ["commit", "-qm", "all"]):
        subprocess.run([*git, *step], cwd=folder, check=True)
    subprocess.run(["git", "update-ref", "refs/remotes/origin/main", "HEAD"], cwd=folder, check=True)
    return folder


def test_the_pages_have_commands_to_run() -> None:
    """Else the test below would hold of nothing."""
    assert "vsr-compile diff policies/quickstart.yaml --against origin/main" in commands()
    assert len(commands()) > 20


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command, in a shell where it takes one."""
    if not SHELL.search(command):
        return in_process.run(*shlex.split(command)[1:], cwd=folder)
    tool = folder / ".bin" / "vsr-compile"
    if not tool.exists():
        tool.parent.mkdir(exist_ok=True)
        code = "from vsr_compiler.cli import main; main()"
        tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{code}" "$@"\n', encoding="utf-8")
        tool.chmod(0o755)
    environment = os.environ | {"PATH": f"{tool.parent}:{os.environ['PATH']}"}
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def split_policy(folder: Path) -> None:
    """Write a policy with the fragments that pages name."""
    head = "apiVersion: vsr.dev/v1alpha1\nkind: "
    models = "endpoints:\n  a: {service: 'a.models:8000'}\nmodels:\n\n  big: {endpoints: a}\n"
    maths = "signals:\n  proof: {keywords: [prove]}\nroutes:\n  - {name: proof, when: {signal: proof}, model: big}\n"
    (folder / "models.yaml").write_text(f"{head}RoutingPolicyFragment\n{models}", encoding="utf-8")
    (folder / "teams").mkdir()
    (folder / "teams" / "maths.yaml").write_text(f"{head}RoutingPolicyFragment\n{maths}", encoding="utf-8")
    (folder / "routing.yaml").write_text(
        f"{head}RoutingPolicy\nmetadata: {{name: routing}}\n"
        "imports: [{file: models.yaml, owner: platform}, {file: teams/maths.yaml, owner: maths}]\n"
        "router: {image: 'registry.example/vsr-runtime:0.1.0'}\ndefault: big\n",
        encoding="utf-8",
    )


RECIPES = """\
version: v0.3
providers: {defaults: {model: small}, models: [{name: small, backend_refs: [{endpoint: "small.models:8000"}]}]}
entrypoints: [{model_names: [quick], recipe: fast}, {model_names: [calm], recipe: careful}]
recipes:
  - {name: fast, routing: {decisions: [{name: quick-all, priority: 1, modelRefs: [{model: small}]}]}}
  - {name: careful, routing: {decisions: [{name: calm-all, priority: 1, modelRefs: [{model: small}]}]}}
"""


def import_sources(folder: Path, *, recipes: bool) -> None:
    """Write the configuration that pages import, and a folder with nothing about routing."""
    source = (ROOT / "out" / "minimal" / "router" / "config.yaml").read_text(encoding="utf-8")
    (folder / "config.yaml").write_text(RECIPES if recipes else source, encoding="utf-8")
    (folder / "objects").mkdir(exist_ok=True)


def record_traffic(path: Path) -> None:
    """Write a file of traffic with one request."""
    line = json.dumps({"prompt": "What is the derivative of x^2?"}).encode() + b"\n"
    path.write_bytes(gzip.compress(line) if path.suffix == ".gz" else line)


@pytest.mark.subprocess
@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_docs_runs_as_printed(command: str, clone: Path) -> None:
    """Nothing changes in a clone, so even a diff ends with 0."""
    if "policies/routing.yaml" in command:
        split_policy(clone / "policies")
    if command == "vsr-compile check my.yaml":
        run("vsr-compile init my.yaml", clone)
    if command.startswith("vsr-compile import"):
        import_sources(clone, recipes="--recipe" in command)
    for name in re.findall(r"--against (\S+)", command):
        run(f"vsr-compile import config.yaml -o {name}", clone)
    for name in re.findall(r"--traffic (\S+)", command):
        record_traffic(clone / name)
    result = run(command, clone)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr
    subprocess.run(["git", "clean", "-fdq", "--exclude=.bin"], cwd=clone, check=True)
    subprocess.run(["git", "checkout", "-q", "."], cwd=clone, check=True)
