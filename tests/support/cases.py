"""The policies that tests are run over: every golden one, and those that people start from."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from support.common import ROOT, linked
from vsr_compiler import ir
from vsr_compiler.targets import profiles

GOLDEN = sorted(path.parent.name for path in (ROOT / "tests" / "golden").glob("*/policy.yaml"))
POLICIES = sorted(f"policies/{path.stem}" for path in (ROOT / "policies").glob("*.yaml"))


def path_of(case: str) -> Path:
    """A golden policy by its name, or one of those that people start from, by its path."""
    return ROOT / f"{case}.yaml" if case in POLICIES else ROOT / "tests" / "golden" / case / "policy.yaml"


def case_of(output: Path) -> str:
    """The case whose output a folder lies in."""
    parts = output.relative_to(ROOT).parts
    return f"policies/{parts[1]}" if parts[0] == "out" else parts[2]


@cache
def policy_of(case: str, profile: str) -> ir.Policy:
    """The linked policy, at a profile, with files in the router's folder."""
    policy = linked(path_of(case).read_text(encoding="utf-8"), case)
    router = replace(policy.router, files={"config.yaml": b"a: 1\n", "domain.safetensors": b"\x00"})
    return replace(policy, router=router, versions=profiles()[profile])
