"""Commands import only what they need: what an author waits for is mostly imports."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.common import ROOT

MODELS = {"pydantic", "ruamel", "jinja2", "jsonschema", "numpy", "vsr_runtime"}
"""Packages, by the first part of their name."""
COMPILER = {
    "vsr_compiler.pipeline",
    "vsr_compiler.link",
    "vsr_compiler.targets",
    "vsr_compiler.verify",
    "vsr_schemas.base",
}
POLICY = "policies/minimal.yaml"
FORBIDDEN = {
    "--version": MODELS | COMPILER,
    "--help": MODELS | COMPILER,
    "completion bash": MODELS | COMPILER,
    "codes VSR101": MODELS | COMPILER,
    "check --help": MODELS | COMPILER,
    "compile --help": MODELS | COMPILER,
    "lsp --help": MODELS | COMPILER,
    "status --help": MODELS | COMPILER | {"kubernetes", "vsr_compiler.live"},
    f"fmt {POLICY} --check": MODELS - {"ruamel"} | COMPILER,
    f"check {POLICY}": {"kubernetes", "vsr_compiler.live", "jinja2", "jsonschema", "numpy", "onnxruntime", "asyncio"},
    f"explain {POLICY}:2": {"jinja2", "jsonschema", "numpy", "onnxruntime"},
}
"""What a command must not import, if nothing is remembered."""
REMEMBERED = (f"check {POLICY}", f"compile {POLICY}", f"compile {POLICY} --check")


def imported(arguments: str, environment: dict[str, str]) -> set[str]:
    """Modules, and packages by the first part of their name, that a command has imported when it ends."""
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: sys.stderr.write('\\n' + ' '.join(sys.modules)))\n"
        "from vsr_compiler.cli import main; main()"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments.split()],
        cwd=ROOT, env=dict(os.environ) | environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    names = set(result.stderr.splitlines()[-1].split())
    assert "vsr_compiler.cli.main" in names, result.stderr
    return names | {name.partition(".")[0] for name in names}


@pytest.mark.subprocess
@pytest.mark.parametrize("arguments", FORBIDDEN)
def test_a_command_does_not_import_what_it_does_not_need(arguments: str) -> None:
    """The forbidden modules are named for each command."""
    assert sorted(imported(arguments, {"VSR_NO_CACHE": "1"}) & FORBIDDEN[arguments]) == []


@pytest.mark.subprocess
def test_what_is_remembered_is_told_without_the_compiler(tmp_path: Path) -> None:
    """The second run imports neither models nor the pipeline."""
    environment = {"VSR_NO_CACHE": "", "VSR_CACHE_DIR": str(tmp_path)}
    for command in REMEMBERED:
        arguments = f"{command} --out {tmp_path}/out" if "compile" in command else command
        imported(arguments, environment)
        assert sorted(imported(arguments, environment) & (MODELS | COMPILER)) == [], arguments
