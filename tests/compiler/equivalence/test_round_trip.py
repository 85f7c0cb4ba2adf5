"""A policy, compiled and imported again, decides as before, as far as the router config carries it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.common import ROOT
from vsr_compiler.cli.proof import proved
from vsr_compiler.equivalence.compiled import bodies
from vsr_compiler.importer import Options, import_files
from vsr_compiler.pipeline import read_policy

NOT_CARRIED = {
    "agentgateway": "decision `free`",  # who clients are is in the runtime's settings
    "guards": "by guard `",  # and so are guards
}
"""Policies of which the config has only a part, and what the proof shows then."""
POLICIES = sorted((ROOT / "policies").glob("*.yaml"))


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.stem)
def test_a_policy_that_is_compiled_and_imported_decides_alike(path: Path, tmp_path: Path) -> None:
    """The import of the config equals the config; the policy equals it but for what is in other files."""
    config, _ = bodies(read_policy(path))
    source = tmp_path / "config.yaml"
    source.write_text(json.dumps(config), encoding="utf-8")
    imported = import_files([source], Options())
    again = proved(imported, tmp_path / "policy.yaml", imported.policy)
    assert (again.verdict, again.differences) == ("equal", ())
    proof = proved(imported, path, None)
    if path.stem not in NOT_CARRIED:
        assert (proof.verdict, proof.differences) == ("equal", ())
        return
    assert proof.verdict == "different"
    assert any(NOT_CARRIED[path.stem] in item.policy for item in proof.differences)
