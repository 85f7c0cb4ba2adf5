"""Each code that a policy's author can meet has a broken policy that shows it."""

from __future__ import annotations

import re

import pytest

from support.common import ROOT
from vsr_compiler.diagnostics import CODES

TABLES = (
    "tests/compiler/syntax",
    "tests/compiler/link",
    "tests/compiler/analysis",
    "tests/compiler/heads",
    "tests/compiler/cli",
    "tests/compiler/targets",
)
"""Folders whose tests hold broken policies with their exact codes."""


@pytest.mark.parametrize("code", sorted(code for code in CODES if code[3] in "012"))
def test_a_broken_policy_shows_the_code(code: str) -> None:
    """Text, schema and meaning: a code that no test provokes is a promise that nobody checked."""
    paths = [path for folder in TABLES for path in (ROOT / folder).rglob("test_*.py")]
    paths += [
        ROOT / "tests" / "compiler" / "review" / "test_policy_tests.py",
        *(ROOT / "tests" / "compiler" / "targets").glob("test_*.py"),
    ]
    texts = [path.read_text(encoding="utf-8") for path in paths]
    assert any(re.search(rf'"{code}"', text) for text in texts)
