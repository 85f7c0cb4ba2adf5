"""`vsr-compile check`: exit codes, streams and formats."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from support.common import SMALL, call
from vsr_compiler.cli import console

Policy = Callable[[str], Path]
WARNS = SMALL
FINE = SMALL.replace("default: big", "  - {name: law, when: {category: law}, model: big}\ndefault: big")
BROKEN = SMALL.replace("model: little", "model: litle")


@pytest.fixture
def policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Policy:
    """Writes a policy into the working folder."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "p.yaml") -> Path:
        Path(name).write_text(text, encoding="utf-8")
        return Path(name)

    return write


def test_a_policy_without_findings_is_exit_0_and_nothing_on_stdout(policy: Policy) -> None:
    """The file is listed as checked."""
    result = call("check", policy(FINE))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "p.yaml: no findings\n")


def test_a_warning_is_reported_with_exit_code_0_unless_strict(policy: Policy) -> None:
    """`--strict` makes an error of it."""
    loose, strict = call("check", policy(WARNS)), call("check", policy(WARNS), "--strict")
    assert (loose.exit_code, strict.exit_code) == (0, 1)
    assert loose.stderr.startswith("p.yaml:13:3: warning VSR235: ")
    assert loose.stderr.endswith("\n1 warning\n")
    assert strict.stderr.startswith("p.yaml:13:3: error VSR235: ")
    assert strict.stderr.endswith("\n1 error\n")


def test_limits_of_targets_are_reported_for_all_environments_at_once(policy: Policy) -> None:
    """A check that is fine and a compile that is not would let a mistake through to the merge."""
    many = FINE.replace("[one]", "{one: 50, two: 50}")
    wanted = "environments: {dev: {}, a: {target: gie}, b: {target: llm-d, versions: {istio: 9.9.9}}}\n"
    result = call("check", path := policy(many + wanted))
    assert result.exit_code == 1
    found = [line.split(":")[1:4] for line in result.stderr.splitlines() if " error " in line]
    assert sorted(each[2].split()[1] for each in found) == ["VSR312", "VSR313"]
    compiled = call("compile", path)
    assert [line for line in compiled.stderr.splitlines() if " error " in line] == [
        line for line in result.stderr.splitlines() if " error " in line
    ]


def test_an_error_is_exit_1_with_its_place(policy: Policy) -> None:
    """Text goes to stderr; stdout is for data."""
    result = call("check", policy(BROKEN))
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("p.yaml:17:12: error VSR201: ")
    assert "Did you mean `little`?" in result.stderr


def test_a_file_that_is_not_there_and_bytes_that_are_no_text_are_findings(policy: Policy, tmp_path: Path) -> None:
    """Like all others, and the other files are still looked at."""
    (tmp_path / "bad.yaml").write_bytes(b"a: \xff\n")
    result = call("check", "none.yaml", "bad.yaml", policy(FINE), "--format", "json")
    document = json.loads(result.stdout)
    assert result.exit_code == 1
    assert document["policies"] == ["none.yaml", "bad.yaml", "p.yaml"]
    assert [item["code"] for item in document["findings"]] == ["VSR004", "VSR001"]


READS: dict[str, Callable[[str], Any]] = {
    "json": lambda text: [item["code"] for item in json.loads(text)["findings"]],
    "sarif": lambda text: [item["ruleId"] for item in json.loads(text)["runs"][0]["results"]],
    "junit": lambda text: [case.get("name", "")[:6] for case in ET.fromstring(text).iter("testcase")],  # noqa: S314 - our own output
    "github": lambda text: [line.split("title=")[1][:6] for line in text.splitlines()],
}


@pytest.mark.parametrize("form", READS)
def test_each_format_is_one_document_on_stdout_with_every_finding(form: str, policy: Policy) -> None:
    """Several policies share it; stderr has the counts only."""
    result = call("check", policy(BROKEN), policy(WARNS.replace("small", "other"), "q.yaml"), "--format", form)
    assert result.exit_code == 1
    assert READS[form](result.stdout) == ["VSR201", "VSR235"]
    assert result.stderr == "1 error, 1 warning\n"


def test_a_warning_can_be_silenced_with_a_reason(policy: Policy) -> None:
    """A comment that silences nothing, or an error, is reported."""
    lines = WARNS.splitlines()
    lines[12] += " # vsr: ignore VSR235 the default serves it"
    assert call("check", policy("\n".join(lines) + "\n"), "--strict").exit_code == 0
    useless = call("check", policy(FINE.replace("default: big", "default: big # vsr: ignore VSR235 no")))
    assert (useless.exit_code, "warning VSR009" in useless.stderr) == (0, True)
    error = call("check", policy(BROKEN.replace("litle", "litle # vsr: ignore VSR201 no")))
    assert (error.exit_code, "error VSR201" in error.stderr) == (1, True)
    assert "cannot be silenced" in error.stderr


def test_an_unknown_format_is_usage(policy: Policy) -> None:
    """With the ones that there are."""
    result = call("check", policy(FINE), "--format", "xml")
    assert result.exit_code == 2
    assert "sarif" in result.stderr


def test_a_folder_stands_for_its_policies(policy: Policy, tmp_path: Path) -> None:
    """Sorted; a folder without one is usage."""
    (tmp_path / "some").mkdir()
    assert call("check", "some").exit_code == 2
    policy(FINE, "some/b.yaml")
    policy(FINE.replace("small", "other"), "some/a.yml")
    assert call("check", "some").stderr == "some/a.yml: no findings\nsome/b.yaml: no findings\n"


@pytest.mark.parametrize(
    ("terminal", "environment", "expected"),
    [(True, {}, True), (False, {}, False), (True, {"NO_COLOR": "1"}, False), (True, {"TERM": "dumb"}, False)],
)
def test_colour_is_for_terminals_that_want_it(
    terminal: object, environment: dict[str, str], expected: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR and a dumb terminal want none."""
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stderr", type("Stream", (), {"isatty": lambda _: terminal})())
    assert console.colour() is expected


def test_a_strict_compile_writes_nothing_where_there_is_a_warning(policy: Policy, tmp_path: Path) -> None:
    """The formats are the same for both commands."""
    result = call("compile", policy(WARNS), "--strict", "--format", "json")
    assert result.exit_code == 1
    assert [item["severity"] for item in json.loads(result.stdout)["findings"]] == ["error"]
    assert [path.name for path in tmp_path.iterdir()] == ["p.yaml"]


COMMENT = "# vsr: ignore VSR301 nobody syncs it\n"


def test_what_only_a_compile_finds_is_silenced_there_and_no_riddle_before(tmp_path: Path) -> None:
    """VSR301 is no line's: the comment stands above the first, and `--strict` is of use without Argo CD."""
    path = tmp_path / "small.yaml"
    path.write_text(COMMENT + FINE, encoding="utf-8")
    assert "no findings" in call("check", str(path)).stderr
    strict = call(str(path), "--strict", "--out", str(tmp_path / "out"))
    assert strict.exit_code == 0, strict.stderr
    assert "VSR301" not in strict.stderr
    path.write_text(FINE, encoding="utf-8")
    assert call(str(path), "--strict", "--out", str(tmp_path / "out")).exit_code == 1


def test_a_note_on_tests_is_silenced_like_any_other(tmp_path: Path) -> None:
    """A route that no test reaches, on purpose."""
    tests = "tests: [{prompt: hello, model: big, expect: {model: big}}]\n"
    path = tmp_path / "small.yaml"
    path.write_text(FINE + tests, encoding="utf-8")
    assert "route `math`" in call("test", str(path)).stderr
    silent = FINE.replace("  - name: math", "  # vsr: ignore VSR251 it is tried by hand\n  - name: math")
    path.write_text(silent + tests, encoding="utf-8")
    assert "route `math`" not in call("test", str(path)).stderr
    assert "no findings" in call("check", str(path)).stderr


def test_a_policy_without_tests_is_not_reported_as_passed(tmp_path: Path) -> None:
    """Nothing was tried."""
    path = tmp_path / "small.yaml"
    path.write_text(FINE, encoding="utf-8")
    assert "0 passed, 0 failed; it has no `tests`" in call("test", str(path)).stderr
