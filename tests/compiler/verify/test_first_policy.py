"""The first policy of a newcomer: written, compiled, and verified without an error."""

from __future__ import annotations

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
