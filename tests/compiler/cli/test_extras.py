"""A command whose packages are not installed names the extra that brings them."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest

from support.common import ROOT
from vsr_compiler.cli.extras import EXTRAS

POLICY = ROOT / "policies" / "guards.yaml"
OUTPUT = ROOT / "out" / "guards" / "router" / "config.yaml"


@pytest.mark.subprocess
@pytest.mark.parametrize(
    ("module", "arguments", "package", "extra"),
    [
        ("vsr_compiler.cli", ["test", str(POLICY)], "stdnum", "runtime"),
        ("vsr_compiler.cli", ["eval", str(POLICY)], "numpy", "classify"),
        ("vsr_runtime.cli", ["serve", "--config", str(OUTPUT)], "msgspec", "runtime"),
    ],
)
def test_a_missing_package_is_one_line_with_the_extra(
    module: str, arguments: list[str], package: str, extra: str
) -> None:
    """No traceback, and no request to report a fault of ours."""
    code = f"import sys; sys.modules[{package!r}] = None; from {module} import main; main()"
    command = [sys.executable, "-c", code, *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 1
    assert f"the package {package} is not installed; run pip install 'vsr-compile[{extra}]'" in result.stderr
    assert "Traceback" not in result.stderr
    assert "VSR900" not in result.stderr


def test_every_extra_that_a_message_names_exists() -> None:
    """An extra that is renamed must be renamed in the message as well."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert set(EXTRAS) <= set(project["optional-dependencies"])
