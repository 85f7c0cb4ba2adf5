"""The pipeline for GitLab on the page about reviews, run in a shell as a runner does."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from support.common import ROOT

pytestmark = pytest.mark.subprocess


STUB = '#!/bin/sh\necho "$(basename "$0") $*" >> "$LOG"\n'
TOOL = (
    STUB
    + """\
case "$*" in
  *--breaking) exit "$BREAKS" ;;
  diff*) echo '<!-- vsr-compile diff: prod -->'; exit "$DIFFERS" ;;
esac
"""
)


def script() -> str:
    """What the job runs: one shell for all of it, which ends at the first command that fails."""
    page = (ROOT / "docs" / "how-to" / "review-changes.md").read_text(encoding="utf-8")
    (text,) = (block for block in re.findall(r"```yaml\n(.*?)```", page, re.DOTALL) if block.startswith("policy:"))
    return "\n".join(YAML(typ="safe").load(text)["policy"]["script"])


@pytest.mark.parametrize(
    ("differs", "breaks", "expected"),
    [(0, 0, 0), (1, 0, 0), (1, 1, 1), (2, 0, 1)],
    ids=["same", "different", "breaking", "nothing to compare with"],
)
def test_the_pipeline_comes_to_its_last_line_and_fails_where_it_should(
    differs: int, breaks: int, expected: int, tmp_path: Path
) -> None:
    """A difference is commented on; what breaks, and what cannot be compared, stops it."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in {"vsr-compile": TOOL, "python": STUB, "curl": STUB, "jq": STUB}.items():
        (tools / name).write_text(text, encoding="utf-8")
        (tools / name).chmod(0o755)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "prod.yaml").write_text("", encoding="utf-8")
    environment = os.environ | {
        "PATH": f"{tools}:{os.environ['PATH']}",
        "LOG": str(tmp_path / "log"),
        "DIFFERS": str(differs),
        "BREAKS": str(breaks),
    }
    done = subprocess.run(["bash", "-eo", "pipefail", "-c", script()], cwd=tmp_path, env=environment, check=False)
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert done.returncode == expected
    assert ("--breaking" in log) == (differs < 2)
    assert ("curl --fail --silent --output" in log) == (differs < 2)
    assert "vsr-compile fetch-encoder" in log, "without the encoder no head is trained"
