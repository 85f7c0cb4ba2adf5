"""Common configurations of LiteLLM import, check and compile."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.litellm_samples import SAMPLES
from vsr_compiler.diagnostics import Severity
from vsr_compiler.importer import Imported, Options, import_files
from vsr_compiler.pipeline import compile_policy, read_policy

ALWAYS = {"VSR541", "VSR549"}
"""Codes of lists that nearly every report has."""


def imported(text: str, folder: Path) -> Imported:
    """Import one configuration."""
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return import_files([path], Options())


@pytest.mark.parametrize("name", SAMPLES)
def test_a_common_configuration_imports_and_compiles(name: str, tmp_path: Path) -> None:
    """Its report has exactly the findings that it should have, and none is an error."""
    sample = SAMPLES[name]
    result = imported(sample.text, tmp_path)
    ours = [item for item in result.findings if item.span.file.endswith("config.yaml")]
    assert {item.code for item in ours} - ALWAYS == sample.codes, [item.message for item in ours]
    errors = [item for item in result.findings if item.level is Severity.ERROR]
    assert not errors, errors
    policy = tmp_path / "policy.yaml"
    policy.write_text(result.policy, encoding="utf-8")
    assert compile_policy(read_policy(policy), lambda _: None).objects
