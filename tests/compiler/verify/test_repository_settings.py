"""Settings, ignores and baselines of a repository of others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import support.verify_support as m
from support.common import call
from vsr_compiler.verify import settings as settings_of
from vsr_compiler.verify.files import read_worlds
from vsr_compiler.verify.settings import matches

HEAD = "apiVersion: vsr.dev/verify/v1\nkind: VerifySettings\n"
BROKEN = m.joined(m.GATEWAY, m.ROUTE, m.SERVICE.replace("{name: big,", "{name: other,"), m.SERVER)


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A repository with a folder of manifests that have one error."""
    monkeypatch.chdir(tmp_path)
    Path(".git").mkdir()
    Path("deploy").mkdir()
    Path("deploy/a.yaml").write_text(BROKEN, encoding="utf-8")


def verify(*args: str) -> list[tuple[str, str]]:
    """Severity and code of the findings that are more than notes."""
    report = json.loads(call("verify", *args, "--no-envoy", "--format", "json").stdout)
    found = [(item["severity"], item["code"]) for item in report["findings"]]
    return [item for item in found if item[0] != "note" and item[1] not in {"VSR405", "VSR624"}]


def settings(text: str) -> None:
    """Write the settings."""
    Path(".vsr-verify.yaml").write_text(HEAD + text, encoding="utf-8")


def test_without_settings_the_error_is_reported() -> None:
    """What the other tests change."""
    assert verify("deploy") == [("error", "VSR402")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ignore: [{rule: L02, path: deploy/*.yaml, reason: later, expires: '2999-01-01'}]\n", []),
        ("ignore: [{rule: VSR402, reason: later}]\n", []),
        (
            "ignore: [{rule: L02, reason: later, expires: '2020-01-01'}]\n",
            [("warning", "VSR484"), ("error", "VSR402")],
        ),
        ("ignore: [{rule: L02, path: other/**, reason: x}]\n", [("warning", "VSR484"), ("error", "VSR402")]),
        ("severity: {L02: warning}\n", [("warning", "VSR402")]),
        ("severity: {L02: off}\n", []),
        ("assume: [Service/prod/big]\n", []),
        ("exclude: [deploy/a.yaml]\n", []),
    ],
)
def test_settings_above_the_manifests_are_obeyed(text: str, expected: list[tuple[str, str]]) -> None:
    """An expired or unused ignore is a warning."""
    Path("deploy/b.yaml").write_text(m.GATEWAY.replace("edge", "b"), encoding="utf-8")
    settings(text)
    assert sorted(verify("deploy")) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("pathz: [a]\n", "3:1"),
        ("ignore: [{rule: L02}]\n", "3:"),
        ("ignore: [{rule: l2, reason: x}]\n", "3:17"),
        ("severity: {L02: fatal}\n", "3:17"),
        ("ignore: [{rule: L02, reason: x, expires: '2026-13-01'}]\n", "3:"),
        ("a: [\n", ""),
    ],
)
def test_invalid_settings_are_an_error_with_a_place(text: str, place: str) -> None:
    """Nothing is guessed."""
    settings(text)
    result = call("verify", "deploy", "--no-envoy")
    assert result.exit_code == 1
    assert f".vsr-verify.yaml:{place}" in result.stderr


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        ("[deploy]", ["deploy/a.yaml"]),
        ("['**/*.yml']", ["other/c.yml"]),
        ("['o*/c.yml', deploy/**]", ["deploy/a.yaml", "other/c.yml"]),
        ("[other/k]", ["other/k"]),
    ],
)
def test_only_the_paths_of_the_settings_are_checked(paths: str, expected: list[str]) -> None:
    """Also not a kustomization above them."""
    route = m.ROUTE.replace("name: big", "name: other", 1)
    for name in ("other/c.yml", "other/k/d.yaml"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(route, encoding="utf-8")
    Path("kustomization.yaml").write_text("resources: [deploy/a.yaml, other/c.yml]\n", encoding="utf-8")
    Path("other/k/kustomization.yaml").write_text("resources: [d.yaml]\n", encoding="utf-8")
    settings(f"paths: {paths}\n")
    units = {str(unit.path) for world in read_worlds([Path()], skip=skip()).worlds for unit in world.units}
    assert units == set(expected)


def skip() -> Callable[[Path], bool]:
    """What the settings leave out."""
    return settings_of.read(Path(".vsr-verify.yaml"))[0].excludes


def test_settings_outside_the_repository_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The search ends where the repository begins."""
    settings("severity: {L02: off}\n")
    inner = tmp_path / "inner"
    (inner / ".git").mkdir(parents=True)
    (inner / "a.yaml").write_text(BROKEN, encoding="utf-8")
    monkeypatch.chdir(inner)
    assert verify("a.yaml") == [("error", "VSR402")]


REF = '    backendRefs: [{group: "", kind: Service, name: big, port: 80, weight: 1}]\n'


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (REF, REF.rstrip() + "  # vsr-verify: ignore L02 the other team creates it\n", []),
        (REF, "    # vsr-verify: ignore VSR402,L16 created later\n    # more\n" + REF, []),
        (REF, REF.rstrip() + "  # vsr-verify: ignore L02\n", [("warning", "VSR484")]),
        (REF, REF.rstrip() + "  # vsr-verify: ignore L16 x\n", [("error", "VSR402"), ("warning", "VSR484")]),
    ],
)
def test_comment_ignores_the_findings_of_its_line(old: str, new: str, expected: list[tuple[str, str]]) -> None:
    """An ignore that matches nothing, or has no reason, is a warning."""
    assert old in BROKEN
    Path("deploy/a.yaml").write_text(BROKEN.replace(old, new, 1), encoding="utf-8")
    assert sorted(verify("deploy")) == expected


def test_only_new_findings_fail_with_a_baseline() -> None:
    """Also when lines move."""
    assert call("verify", "deploy", "--no-envoy", "--write-baseline", "known.json").exit_code == 0
    assert verify("deploy", "--baseline", "known.json") == []
    text = "# a comment\n\n" + BROKEN
    Path("deploy/a.yaml").write_text(text, encoding="utf-8")
    assert verify("deploy", "--baseline", "known.json") == []
    Path("deploy/a.yaml").write_text(
        text.replace("name: edge}]", "name: edge}, {name: gone, kind: Gateway}]"), encoding="utf-8"
    )
    assert [code for _, code in verify("deploy", "--baseline", "known.json")] != []


@pytest.mark.parametrize(
    "text", ["{}", "[", '{"format": "x"}', '{"format": "vsr.dev/verify-baseline/v1"}', "[" * 99999]
)
def test_invalid_baseline_is_an_error(text: str) -> None:
    """Known findings could not be recognised."""
    Path("known.json").write_text(text, encoding="utf-8")
    assert ("error", "VSR485") in verify("deploy", "--baseline", "known.json")


@pytest.mark.parametrize(
    ("pattern", "path", "matched"),
    [
        ("a/*.yaml", "a/b.yaml", True),
        ("a/*.yaml", "a/b/c.yaml", False),
        ("a/**", "a/b/c.yaml", True),
        ("**/c.yaml", "a/b/c.yaml", True),
        ("a", "a/b/c.yaml", True),
        ("**", "x", True),
        ("b", "a/b", False),
        ("**/" * 50 + "x", "a/" * 50 + "y", False),
    ],
)
def test_patterns_of_paths(pattern: str, path: str, *, matched: bool) -> None:
    """In linear work."""
    assert matches(Path(path), pattern, Path()) is matched
