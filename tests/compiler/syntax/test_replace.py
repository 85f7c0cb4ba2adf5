"""Replacing a file in one step."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vsr_compiler.diagnostics import CompileError
from vsr_compiler.syntax.replace import replace_text


def test_the_text_changes_and_the_mode_stays(tmp_path: Path) -> None:
    """Nothing else is left in the folder."""
    path = tmp_path / "p.yaml"
    path.write_text("old", encoding="utf-8")
    path.chmod(0o640)
    replace_text(path, "né\n")
    assert path.read_bytes() == "né\n".encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [path]


def test_a_symbolic_link_stays_one_and_its_file_changes(tmp_path: Path) -> None:
    """The file that it names is what is written."""
    (tmp_path / "real").mkdir()
    real, name = tmp_path / "real" / "p.yaml", tmp_path / "link.yaml"
    real.write_text("old", encoding="utf-8")
    name.symlink_to(real)
    replace_text(name, "new")
    assert name.is_symlink()
    assert real.read_text(encoding="utf-8") == "new"


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    """A folder and a pipe are left as they are."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to(tmp_path / "pipe")
    for name in ("pipe", "link", "."):
        with pytest.raises(CompileError) as caught:
            replace_text(tmp_path / name, "x")
        assert [item.code for item in caught.value.diagnostics] == ["VSR500"]


def test_where_the_swap_fails_the_old_text_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the temporary file goes."""
    path = tmp_path / "p.yaml"
    path.write_text("old", encoding="utf-8")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(CompileError) as caught:
        replace_text(path, "new")
    assert caught.value.diagnostics[0].message == "cannot write the file: no space left on device"
    assert [each.read_text(encoding="utf-8") for each in tmp_path.iterdir()] == ["old"]
