"""`vsr-compile fmt`: what is written, and what is left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.common import SMALL, call
from vsr_compiler.syntax.fmt import canonical

MESSY = "kind: RoutingPolicy\napiVersion:   vsr.dev/v1alpha1 # why\n"
NEAT = "apiVersion: vsr.dev/v1alpha1 # why\nkind: RoutingPolicy\n"


@pytest.fixture
def messy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file to be formatted, in the working folder."""
    monkeypatch.chdir(tmp_path)
    path = Path("p.yaml")
    path.write_text(MESSY, encoding="utf-8")
    return path


def test_a_policy_is_brought_into_form_once(messy: Path) -> None:
    """The mode stays, and the second time nothing is written."""
    messy.chmod(0o600)
    result = call("fmt", messy)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "p.yaml: formatted\n")
    assert messy.read_text(encoding="utf-8") == NEAT
    assert messy.stat().st_mode & 0o777 == 0o600
    before = messy.stat()
    assert call("fmt", messy).stderr == ""
    assert (messy.stat().st_mtime_ns, messy.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_check_tells_and_writes_nothing(messy: Path) -> None:
    """Exit 1 while there is a difference."""
    result = call("fmt", messy, "--check")
    assert (result.exit_code, result.stderr) == (1, "p.yaml: not in canonical form\n")
    assert messy.read_text(encoding="utf-8") == MESSY
    call("fmt", messy)
    assert call("fmt", messy, "--check").exit_code == 0


def test_diff_prints_what_would_change_and_writes_nothing(messy: Path) -> None:
    """A patch that `patch` could apply, on stdout; a missing line break at the end is shown as `diff` shows it."""
    messy.write_text(MESSY.rstrip("\n"), encoding="utf-8")
    result = call("fmt", messy, "--diff")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "--- p.yaml",
        "+++ p.yaml (canonical)",
        "@@ -1,2 +1,2 @@",
        "+apiVersion: vsr.dev/v1alpha1 # why",
        " kind: RoutingPolicy",
        "-apiVersion:   vsr.dev/v1alpha1 # why",
        "\\ No newline at end of file",
    ]
    assert messy.read_text(encoding="utf-8") == MESSY.rstrip("\n")
    call("fmt", messy)
    clean = call("fmt", messy, "--diff")
    assert (clean.exit_code, clean.stdout) == (0, "")


def test_a_dash_reads_stdin_and_writes_stdout(messy: Path) -> None:
    """As editors call it."""
    result = call("fmt", "-", stdin=MESSY)
    assert (result.exit_code, result.stdout, result.stderr) == (0, NEAT, "")
    assert messy.read_text(encoding="utf-8") == MESSY
    assert call("fmt", "-", "--check", stdin=MESSY).exit_code == 1
    broken = call("fmt", "-", stdin="a: [\n")
    assert (broken.exit_code, broken.stdout) == (1, "")
    assert broken.stderr.startswith("<stdin>:")


def test_what_does_not_parse_is_refused_left_alone_and_does_not_stop_the_others(messy: Path) -> None:
    """The findings are those of `check`."""
    broken = Path("broken.yaml")
    broken.write_text("a: 1\na: 2\n", encoding="utf-8")
    result = call("fmt", broken, messy)
    assert result.exit_code == 1
    assert result.stderr.startswith("broken.yaml:2:1: error VSR003: ")
    assert call("check", broken).stderr == call("fmt", broken).stderr
    assert broken.read_text(encoding="utf-8") == "a: 1\na: 2\n"
    assert messy.read_text(encoding="utf-8") == NEAT


def test_a_symbolic_link_is_followed(messy: Path) -> None:
    """It stays a link."""
    Path("link.yaml").symlink_to(messy)
    assert call("fmt", "link.yaml").exit_code == 0
    assert Path("link.yaml").is_symlink()
    assert messy.read_text(encoding="utf-8") == NEAT


def test_formatting_changes_nothing_of_what_check_says(messy: Path) -> None:
    """Same codes and messages; only the places move."""
    texts = SMALL.replace("\nrouter", "\nkinds: x\nrouter"), SMALL.replace("[one]", "['one', \"none\"]")
    for text in texts:
        found = []
        for version in (text, canonical(text, "p")):
            messy.write_text(version, encoding="utf-8")
            lines = call("check", messy).stderr.splitlines()
            found.append(sorted(line.split(" ", 1)[1] for line in lines if ": error " in line or ": warning " in line))
        assert found[0] == found[1]
        assert found[0]
