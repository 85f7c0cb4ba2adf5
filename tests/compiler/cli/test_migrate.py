"""`vsr-compile migrate`: what is printed, what is written, and when nothing is."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.common import SMALL, call

OLD = SMALL + "gateway: {hostname: api.example.com, tls: {secret: cert}} # public\n"


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy with moved words, in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = Path("p.yaml")
    path.write_text(OLD, encoding="utf-8")
    return path


def test_without_write_it_prints_a_diff_and_exits_1(old: Path) -> None:
    """Nothing is written."""
    result = call("migrate", old)
    assert result.exit_code == 1
    assert result.stdout.startswith("--- p.yaml\n+++ p.yaml (migrated)\n")
    assert "+    - name: https\n" in result.stdout
    assert old.read_text(encoding="utf-8") == OLD


def test_with_write_the_file_compiles_afterwards_and_is_current(old: Path) -> None:
    """`check` names the command before; the mode stays."""
    before = call("check", old)
    assert before.exit_code == 1
    assert before.stderr.count("`vsr-compile migrate FILE --write`") == 2
    old.chmod(0o600)
    result = call("migrate", old, "--write")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "p.yaml: migrated\n")
    assert old.stat().st_mode & 0o777 == 0o600
    assert call("check", old).exit_code == 0
    inode = old.stat().st_ino
    again = call("migrate", old, "--write")
    assert (again.exit_code, again.stdout, again.stderr, old.stat().st_ino) == (0, "", "", inode)
    assert call("migrate", old).exit_code == 0


def test_one_file_that_cannot_be_converted_keeps_all_from_being_written(old: Path) -> None:
    """A policy and its fragments stay in one version."""
    Path("q.yaml").write_text(SMALL + "gateway: {tls: true}\n", encoding="utf-8")
    result = call("migrate", ".", "--write")
    assert result.exit_code == 1
    assert "q.yaml:19:16: error VSR572: `gateway.tls` names no certificate" in result.stderr
    assert "migrated" not in result.stderr
    assert old.read_text(encoding="utf-8") == OLD
