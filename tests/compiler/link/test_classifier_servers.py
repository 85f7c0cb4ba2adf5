"""Servers that classify text, in a policy: what is an error, and what is a warning."""

from __future__ import annotations

import pytest

from vsr_compiler.deploy.overlays import resolve
from vsr_compiler.diagnostics.codes.model import BASE
from vsr_compiler.heads.compile import untrained_settings
from vsr_compiler.pipeline import read_policy
from vsr_compiler.targets.common import classifier_servers
from vsr_schemas.inference_servers import PROTOCOLS

del resolve


def policy_of(server: str, guard: str = "attacks: {detector: it}", task: str = "jailbreak", more: str = ""):
    """A policy with one classifier at a server, and what is reported."""
    text = f"classifiers:\n  it: {{task: {task}, server: {{{server}}}}}\nguards:\n  {guard}\n{more}"
    return text
