"""The inputs of a head for a task of its own, and their hash. Needs no further package."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256

from vsr_compiler.heads.background import BACKGROUND
from vsr_compiler.ir.labels import LabelExamples

ALGORITHM = 3
"""Increment it with every change that affects a head trained from the same inputs."""


def label_inputs(
    groups: Sequence[LabelExamples],
    encoder_repo: str,
    encoder_sha256: str,
    precision: str,
    false_alarms: float | None,
) -> str:
    """Return the sha256, in hex, of everything that a head depends on. The order of examples does not matter."""
    canonical = {
        "algorithm": ["labels", ALGORITHM],
        "background": sha256("\n".join(BACKGROUND).encode()).hexdigest(),
        "encoder": {"repo": encoder_repo, "sha256": encoder_sha256, "precision": precision},
        "falseAlarms": false_alarms,
        "examples": {
            group.label: sorted({(example.text, example.topic) for example in group.examples}) for group in groups
        },
    }
    return sha256(json.dumps(canonical, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
