"""Several policies in one run: namesakes, rivals for a cluster, and outputs that nobody makes any more."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.common import call
from support.gitops_support import PLAIN

NAME = "metadata: {name: small}"
HERE = 'gitops: {repo: "https://git.example.com/team/routing.git"}\n'
THERE = HERE.replace("}\n", ', server: "https://there.example.com"}\n')


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for policies, in the working folder."""
    assert NAME in PLAIN
    monkeypatch.chdir(tmp_path)
    (tmp_path / "policies").mkdir()
    return Path("policies")


def policy(folder: Path, file: str, name: str, more: str = HERE, router: str = "") -> None:
    """A policy of this name, its router in a namespace of its own where one is given."""
    text = PLAIN.replace(NAME, f"metadata: {{name: {name}}}") + more
    own = f"router: {{namespace: {router}, " if router else "router: {"
    (folder / f"{file}.yaml").write_text(text.replace("router: {", own), encoding="utf-8")


def codes(*arguments: str | Path) -> tuple[int, list[str]]:
    """Exit code and the codes of what is found, without a policy's own notes."""
    result = call(*arguments)
    found = [line.split(" VSR")[1][:3] for line in result.stderr.splitlines() if " VSR" in line]
    return result.exit_code, [code for code in found if code in {"308", "309", "310"}]


def test_a_policy_of_a_name_that_another_has_is_refused_and_not_compiled(folder: Path) -> None:
    """It was written over the other's output, and a check could never be fine again."""
    policy(folder, "a", "small")
    policy(folder, "copy", "small", router="other")
    assert codes("check", folder) == (1, ["308"])
    result = call("compile", folder)
    assert (result.exit_code, "policies/copy.yaml:3:18: error VSR308" in result.stderr) == (1, True)
    assert not list(Path("out/small").rglob("other"))
    assert codes("check", folder / "a.yaml", folder / "a.yaml") == (0, [])


def test_policies_that_conflict_in_one_cluster_are_reported_once(folder: Path) -> None:
    """Each would replace the other's routes and router; Argo CD would stop at the second."""
    for name in ("a", "b", "c"):
        policy(folder, name, name)
    assert codes("compile", folder) == (0, ["309"])
    assert codes("compile", folder, "--check") == (0, ["309"])
    policy(folder, "b", "b", THERE)
    policy(folder, "c", "c", "")
    assert codes("compile", folder) == (0, [])


def test_an_output_of_a_removed_or_renamed_policy_is_reported(folder: Path) -> None:
    """It is synced for ever, beside its successor. Of one policy nobody can know what the others are."""
    policy(folder, "a", "old")
    policy(folder, "b", "other", THERE)
    assert codes("compile", folder) == (0, [])
    policy(folder, "a", "new")
    Path("out/mine").mkdir()
    result = call("compile", folder, "--check")
    assert "out/old: note VSR310: orphaned output folder out/old: no policy of this run writes it" in result.stderr
    assert result.stderr.count("VSR310") == 1
    assert codes("compile", folder) == (0, ["310"])
    assert codes("compile", folder / "a.yaml") == (0, [])
    (folder / "b.yaml").write_text("none", encoding="utf-8")
    assert codes("compile", folder) == (1, [])
