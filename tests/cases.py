"""The policies that tests are run over: every golden one, and those that people start from."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

from support import ROOT, linked

from compiler.link import ir
from compiler.releases import PROFILES

GOLDEN = sorted(path.parent.name for path in (ROOT / "tests" / "golden").glob("*/policy.yaml"))
POLICIES = sorted(path.stem for path in (ROOT / "policies").glob("*.yaml"))


def path_of(case: str) -> Path:
    """A golden policy, or one of those that people start from."""
    golden = ROOT / "tests" / "golden" / case / "policy.yaml"
    return golden if golden.exists() else ROOT / "policies" / f"{case}.yaml"


@cache
def policy_of(case: str, profile: str) -> ir.Policy:
    """The linked policy, at a profile, with files in the router's folder."""
    policy = linked(path_of(case).read_text(encoding="utf-8"), case)
    router = replace(policy.router, files={"config.yaml": b"a: 1\n", "domain.safetensors": b"\x00"})
    return replace(policy, router=router, versions=PROFILES[profile])
