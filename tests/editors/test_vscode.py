from __future__ import annotations

import json
import sys
import zipfile
from pathlib import Path

import pytest

from support.common import ROOT
from support.npm import copied, npm, run_tests
from vsr_schemas.version import VERSION

SOURCE = ROOT / "editors" / "vscode"
PROGRAM = f"#!/bin/sh\nexec '{sys.executable}' -c 'from vsr_compiler.cli import main; main()' \"$@\"\n"


@pytest.mark.subprocess
def test_the_extension_is_built_starts_the_server_and_is_packed(tmp_path: Path) -> None:
    """Its own tests run with the language server of this checkout: findings arrive, and a name is renamed."""
    folder = copied(SOURCE, tmp_path)
    program = tmp_path / "vsr-compile"
    program.write_text(PROGRAM, encoding="utf-8")
    program.chmod(0o755)
    run_tests(folder, VSR_COMPILE=str(program))
    npm(folder, "run", "package")
    with zipfile.ZipFile(folder / "vsr-compile.vsix") as package:
        names = {name for name in package.namelist() if name.startswith("extension/")}
        notices = package.read("extension/dist/NOTICES.txt").decode()
    assert names == {
        f"extension/{name}"
        for name in (
            "LICENSE.txt",
            "package.json",
            "readme.md",
            "dist/NOTICES.txt",
            "dist/extension.js",
        )
    }
    assert "vscode-languageclient" in notices


def test_the_extension_has_the_version_of_the_program() -> None:
    """They are released together, and its licence is ours."""
    package = json.loads((SOURCE / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((SOURCE / "package-lock.json").read_text(encoding="utf-8"))
    assert package["version"] == lock["version"] == VERSION
    assert (SOURCE / "LICENSE").read_text(encoding="utf-8") == (ROOT / "LICENSE").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["vscode", "schemastore"])
def test_the_lock_names_no_registry(name: str) -> None:
    """Packages come from the registry that a user configures, and are checked by their digests."""
    lock = json.loads((ROOT / "editors" / name / "package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert not [name for name, entry in packages.items() if "resolved" in entry]
    assert not [name for name, entry in packages.items() if not entry["integrity"].startswith("sha512-")]
