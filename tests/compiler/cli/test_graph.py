"""`vsr-compile graph`."""

from __future__ import annotations

from pathlib import Path

from support.common import SMALL, call


def test_a_policy_is_drawn_on_stdout_and_errors_are_reported(tmp_path: Path) -> None:
    """Exit 0 with the picture only, exit 1 with the findings only."""
    path = tmp_path / "p.yaml"
    path.write_text(SMALL, encoding="utf-8")
    result = call("graph", path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("flowchart LR\n")
    path.write_text(SMALL.replace("default: big", "default: bgi"), encoding="utf-8")
    broken = call("graph", path)
    assert (broken.exit_code, broken.stdout) == (1, "")
    assert "error VSR201" in broken.stderr
