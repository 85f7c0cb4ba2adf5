"""The earlier output, from a folder or a revision: data, whatever anybody put there."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.gitops_support import DEV, compiled, with_environments, written
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.manifests.yaml import dump
from vsr_compiler.review import baseline, output_yaml
from vsr_compiler.review.baseline import read_baseline


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with a committed output in out/small."""
    monkeypatch.chdir(tmp_path)
    written(compiled(with_environments(DEV)), tmp_path / "out")
    commit(tmp_path)
    return tmp_path


def commit(folder: Path) -> None:
    """Everything in a folder, committed."""
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com", "GIT_CONFIG_GLOBAL": os.devnull}
    identity |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com"}
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x"]):
        subprocess.run(["git", *command], cwd=folder, check=True, env=os.environ | identity)


def tree() -> dict[str, bytes]:
    """What was committed."""
    return {path: file.content for path, file in compiled(with_environments(DEV)).tree.items()}


@pytest.mark.subprocess
@pytest.mark.parametrize("against", ["out/small", "out", "HEAD", "HEAD^{tree}^{}", "HEAD~0"])
def test_a_folder_and_a_revision_give_the_same_files(against: str, project: Path) -> None:
    """The policy's folder, the one above it, and what git has of it."""
    del project
    if against == "HEAD^{tree}^{}":
        with pytest.raises(CompileError):
            read_baseline(against, Path("out"), "small")
        return
    assert read_baseline(against, Path("out"), "small").files == tree()


@pytest.mark.subprocess
def test_a_revision_is_read_from_where_the_command_runs(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the top of the repository, out/ is still the one beside."""
    (project / "deep").mkdir()
    monkeypatch.chdir(project / "deep")
    assert read_baseline("HEAD", Path("../out"), "small").files == tree()
    assert read_baseline("HEAD", Path("out"), "small").files == {}
    assert read_baseline("HEAD", project / "out", "small").files == tree()


@pytest.mark.subprocess
def test_a_policy_that_the_revision_does_not_have_is_empty(project: Path) -> None:
    """A new policy is all new, not an error."""
    del project
    assert read_baseline("HEAD", Path("out"), "other").files == {}


@pytest.mark.subprocess
@pytest.mark.parametrize(
    "against", ["nowhere", "--help", "-x", "--output=pwned", "HEAD; touch pwned", "", "a\nb", "HEAD:out"]
)
def test_an_invalid_baseline_is_reported_and_never_becomes_an_option_or_a_command(against: str, project: Path) -> None:
    """Whatever stands there is the name of a revision to git, and of none that it has."""
    with pytest.raises(CompileError) as caught:
        read_baseline(against, Path("out"), "small")
    assert {each.code for each in caught.value.diagnostics} == {"VSR305"}
    assert sorted(path.name for path in project.iterdir()) == [".git", "out"]


@pytest.mark.subprocess
def test_outside_a_repository_a_revision_is_refused_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And without git at all."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(CompileError, match="neither a folder nor a git revision"):
        read_baseline("HEAD", Path("out"), "small")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(CompileError, match="git cannot be run"):
        read_baseline("HEAD", Path("out"), "small")


def test_a_folder_without_a_lock_holds_no_output(tmp_path: Path) -> None:
    """A wrong path is not taken for an empty output."""
    with pytest.raises(CompileError) as caught:
        read_baseline(str(tmp_path), tmp_path, "small")
    assert caught.value.diagnostics[0].code == "VSR305"


@pytest.mark.subprocess
def test_links_in_a_tree_are_not_followed(project: Path) -> None:
    """Neither on the disk nor in git: what they point at is nobody's output."""
    path = project / "out" / "small" / "router" / "runtime.yaml"
    path.unlink()
    path.symlink_to("/etc/hostname")
    with pytest.raises(CompileError):
        read_baseline("out/small", Path("out"), "small")
    commit(project)
    assert "router/runtime.yaml" not in read_baseline("HEAD", Path("out"), "small").files


@pytest.mark.subprocess
def test_a_tree_that_is_too_large_is_refused(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is read from git."""
    del project
    monkeypatch.setattr(baseline, "MAX_TOTAL", 1000)
    for against in ("HEAD", "out/small"):
        with pytest.raises(CompileError) as caught:
            read_baseline(against, Path("out"), "small")
        assert caught.value.diagnostics[0].code == "VSR306"


BOMB = b"a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n" + b"".join(
    f"{chr(99 + i)}: &{chr(99 + i)} [{','.join(['*' + chr(98 + i)] * 10)}]\n".encode() for i in range(8)
)


@pytest.mark.parametrize(
    "content",
    [
        b"a: [",
        b"\xff\xfe",
        b"a: 1\na: 2\n",
        b"a: 1\n---\nb: 2\n",
        b"[" * 100_000,
        BOMB,
        b"!!python/object:os.system x\n",
        b"x" * 5_000_000,
    ],
    ids=["syntax", "bytes", "twice", "two", "deep", "bomb", "tag", "long"],
)
def test_a_hostile_file_is_one_finding_with_its_name(content: bytes) -> None:
    """No traceback, no waiting, nothing executed."""
    with pytest.raises(CompileError) as caught:
        output_yaml.read(content, "HEAD:router/config.yaml")
    found = caught.value.diagnostics
    assert [(each.code, each.span.file) for each in found] == [("VSR306", "HEAD:router/config.yaml")]


def test_our_own_writing_is_read_back_as_it_was() -> None:
    """Types and texts: the reader is the writer's inverse."""
    body = {
        "n": None,
        "t": True,
        "i": [0, -1, 65535, 2**62],
        "f": [0.5, 1e21, -2.5e-07],
        "s": ["1", "true", "null", "~", "", "1e3", "no", "0x1f", "-", "a: b", "x\ny\n", "1_000", "12:30"],
        "e": [{}, []],
    }
    assert output_yaml.read(dump(body).encode(), "x") == body
