"""The first policy of a newcomer: written, compiled, and verified without an error."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support.common import call


@pytest.mark.parametrize("template", ["minimal", "quickstart"])
def test_output_of_the_first_policy_is_clean(template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Services that the policy declares are known, also when the root of the output is named."""
    monkeypatch.chdir(tmp_path)
    Path("policies").mkdir()
    assert call("init", "policies/first.yaml", "--template", template).exit_code == 0
    assert call("compile", "policies/first.yaml").exit_code == 0
    for given in ("out/first", "out"):
        result = call("verify", given, "--no-envoy", "--strict")
        assert (result.exit_code, "error" in result.stderr) == (0, False), result.stderr


def test_output_for_a_chart_is_clean_wherever_it_lies(tmp_path: Path) -> None:
    """The router's Service is the chart's: neither the policy nor the lock must be there to know it."""
    source = Path("out/production-stack/production-stack")
    for name in ("base", "overlays", "components"):
        shutil.copytree(source / name, tmp_path / name)
    result = call("verify", tmp_path, "--no-envoy", "--strict")
    assert (result.exit_code, "VSR402" in result.stderr) == (0, False), result.stderr
