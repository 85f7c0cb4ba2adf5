"""Devices that environments name, held against what the policy would move there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from support.gitops_support import DEV, PLAIN, with_environments
from vsr_compiler.analysis import analyse

REVISION = "a" * 40
CHECKPOINTS = f"""\
classifiers: {{persons: {{task: pii, checkpoint: {{repo: org/persons, revision: {REVISION}}}}}}}
guards: {{names: {{types: [PERSON], detector: persons, action: mask}}}}
"""
GPUS = replace(DEV, device="cuda")


@pytest.mark.parametrize(
    ("environment", "text", "code"),
    [
        (GPUS, PLAIN, "VSR290"),
        (GPUS, PLAIN + CHECKPOINTS, "VSR291"),
        (replace(GPUS, images={"router": "registry.example/vsr-runtime-cuda:1"}), PLAIN + CHECKPOINTS, None),
        (replace(DEV, device="cpu"), PLAIN + CHECKPOINTS, None),
        (GPUS, PLAIN.replace("router: {", "router: {engine: semantic-router, "), "VSR304"),
    ],
)
def test_an_unused_or_impossible_device_is_reported(environment, text, code) -> None:
    """At the environment's line."""
    found = [item for item in analyse(with_environments(environment, text=text), {"istio"}) if item.span == DEV.span]
    assert [item.code for item in found] == ([code] if code else [])
    assert all("`dev`" in item.message for item in found)
