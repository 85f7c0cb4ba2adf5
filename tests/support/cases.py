"""The policies that tests are run over: every golden one, and those that people start from."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

from support.common import ROOT, linked
from vsr_compiler import ir
from vsr_compiler.deploy.output.write import write
from vsr_compiler.pipeline import Compiled, compile_policy, read_policy
from vsr_compiler.targets import profiles

GOLDEN = sorted(path.parent.name for path in (ROOT / "tests" / "golden").glob("*/policy.yaml"))
POLICIES = sorted(f"policies/{path.stem}" for path in (ROOT / "policies").glob("*.yaml"))


def policy_file(case: str) -> Path:
    """Return the file of a golden policy by its name, or of one that people start from by its path."""
    return ROOT / f"{case}.yaml" if case in POLICIES else ROOT / "tests" / "golden" / case / "policy.yaml"


@cache
def policy_of(case: str, profile: str) -> ir.Policy:
    """Return the linked policy, at a profile, with files in the router's folder."""
    policy = linked(policy_file(case).read_text(encoding="utf-8"), case)
    router = replace(policy.router, files={"config.yaml": b"a: 1\n", "domain.safetensors": b"\x00"})
    return replace(policy, router=router, versions=profiles()[profile])


@cache
def compiled(case: str) -> Compiled:
    """Return what a golden case compiles to, with its stored heads."""
    policy = policy_file(case)
    return compile_policy(read_policy(policy), lambda path: stored(policy.parent / path))


def stored(path: Path) -> bytes | None:
    """Return the bytes of a file, or None if there is none."""
    return path.read_bytes() if path.exists() else None


@cache
def output_of(case: str) -> Path:
    """Return a folder with a case's whole output: the committed one of `policies/`, a fresh one of a golden case.

    The folder is named after the policy. It is shared: a test that changes files copies it first.
    """
    name = read_policy(policy_file(case)).name
    if case in POLICIES:
        return ROOT / "out" / name
    result = compiled(case)
    write(_scratch() / case, result.tree, result.lock)
    return _scratch() / case / name


@cache
def _scratch() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="vsr-golden-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
