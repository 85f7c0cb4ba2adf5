"""Answers of earlier runs: the same as a new run gives, and gone as soon as anything changed that they depend on."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import Result
from ruamel.yaml import YAML

from support.cases import output_of, policy_file
from support.common import ROOT, SMALL, call
from vsr_compiler.cache import answers, installation, store
from vsr_compiler.cache.answers import Question
from vsr_compiler.pipeline import findings
from vsr_compiler.syntax.text import read

DAY = "2026-12-02"
SERVICES = """\
apiVersion: vsr.dev/v1alpha1
kind: RoutingPolicy
metadata: {name: small}
router: {image: "registry.example/vsr-runtime:0.1.0"}
endpoints: {one: {service: "one:8000"}}
models: {big: {endpoints: one}}
"""
SIMPLE = SERVICES + "default: big\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in which a policy is, with a cache of its own."""
    monkeypatch.delenv(answers.OFF, raising=False)
    monkeypatch.setenv("VSR_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    answers._fingerprint.cache_clear()
    yield tmp_path / "work"
    answers._fingerprint.cache_clear()


def asked(policy: str = "policy.yaml", day: str = DAY) -> Question:
    """A question about a policy."""
    return Question("check", Path(policy), (day,))


def remembered(policy: str = "policy.yaml") -> list[object]:
    """The findings of a new run, which are remembered."""
    question = asked(policy)
    found = findings(Path(policy), None, texts=question.texts(read))
    question.remember([found])
    return list(found)


CASES = [*sorted((ROOT / "policies").glob("*.yaml")), ROOT / "tests" / "compiler" / "whole.yaml"]


@pytest.mark.parametrize("file", CASES, ids=lambda file: file.stem)
def test_an_answer_is_what_a_new_run_finds(place: Path, file: Path) -> None:
    """For good policies, and for each of them with one section missing."""
    for name in ("fragment.yaml", "candidate.yaml"):
        shutil.copy(file.with_name(name) if file.stem == "whole" else file, place / name)
    whole = YAML().load(file.read_text(encoding="utf-8"))
    del place
    Path("policy.yaml").write_bytes(file.read_bytes())
    for section in [None, *(whole if file.stem == "whole" else ())]:
        body = {key: value for key, value in whole.items() if key != section}
        if section is not None:
            with Path("policy.yaml").open("w", encoding="utf-8") as stream:
                YAML().dump(body, stream)
        assert asked().answer() is None, section
        found = remembered()
        known = asked().answer()
        if known is not None:
            assert list(known.findings[0]) == found
        else:
            assert {item.code for item in found} & answers._UNSTABLE


def test_a_policy_that_changed_back_has_its_answer_again(place: Path) -> None:
    """As after switching branches: the content counts, not the time."""
    file = place / "policy.yaml"
    file.write_text(SIMPLE, encoding="utf-8")
    remembered()
    file.write_text(SIMPLE + "# more\n", encoding="utf-8")
    assert asked().answer() is None
    file.write_text(SIMPLE, encoding="utf-8")
    assert asked().answer() is not None


def test_an_answer_is_about_the_text_that_was_read(place: Path) -> None:
    """A file that changes while it is checked does not get the answer of its old text."""
    file = place / "policy.yaml"
    file.write_text(SIMPLE, encoding="utf-8")
    question = asked()
    found = findings(file.relative_to(place), None, texts=question.texts(read))
    file.write_text(SIMPLE.replace("default: big", "default: bog"), encoding="utf-8")
    question.remember([found])
    assert asked().answer() is None


@pytest.mark.parametrize("change", ["text", "link", "repository", "missing"])
def test_a_fragment_that_changes_in_any_way_is_checked_again(place: Path, change: str) -> None:
    """Its text, the file that its name leads to, and the repository that it must be in."""
    fragment, other = place / "parts" / "models.yaml", place / "other.yaml"
    fragment.parent.mkdir()
    text = SERVICES[SERVICES.index("endpoints:") :]
    body = "apiVersion: vsr.dev/v1alpha1\nkind: RoutingPolicyFragment\n" + text
    fragment.write_text(body, encoding="utf-8")
    imports = "imports: [{file: parts/models.yaml, owner: platform}]\ndefault: big\n"
    (place / "policy.yaml").write_text(SERVICES[: SERVICES.index("endpoints:")] + imports, encoding="utf-8")
    assert remembered() == []
    assert asked().answer() is not None
    if change == "text":
        fragment.write_text(body + "# more\n", encoding="utf-8")
    elif change == "link":
        other.write_text(body, encoding="utf-8")
        fragment.unlink()
        fragment.symlink_to(other)
    elif change == "repository":
        (place / ".git").mkdir()
    else:
        fragment.unlink()
    assert asked().answer() is None


@pytest.mark.parametrize("missing", ["default: bog\n", "imports: [{file: ./none.yaml, owner: me}]\ndefault: big\n"])
def test_findings_about_missing_files_are_not_remembered(place: Path, missing: str) -> None:
    """The file may come, and nothing of ours would change by that."""
    (place / "policy.yaml").write_text(SERVICES + missing, encoding="utf-8")
    found = remembered()
    assert found
    assert (asked().answer() is None) == ("imports" in missing)


def test_the_day_the_folder_the_environment_and_our_program_count(
    place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Whatever an answer depends on is part of its key."""
    (place / "policy.yaml").write_text(SIMPLE, encoding="utf-8")
    ours = tmp_path / "lib" / "ours" / "__init__.py"
    ours.parent.mkdir(parents=True)
    ours.write_text("", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path / "lib"))
    (tmp_path / "site").mkdir()
    monkeypatch.setattr(installation, "PACKAGES", (*installation.PACKAGES, "ours"))
    remembered()
    assert asked().answer() is not None
    assert asked(day="2026-12-03").answer() is None
    assert asked("../work/policy.yaml").answer() is None

    def changed() -> bool:
        answers._fingerprint.cache_clear()
        return asked().answer() is None

    assert not changed()
    with monkeypatch.context() as context:
        context.setenv("VSR_CRDS", "elsewhere")
        assert changed()
    with monkeypatch.context() as context:
        context.setattr(installation, "VERSION", "9.9.9")
        assert changed()
    with monkeypatch.context() as context:
        context.syspath_prepend(str(tmp_path / "site"))
        assert changed()
    assert not changed()
    ours.write_text("", encoding="utf-8")
    assert changed()


def test_the_cache_can_be_switched_off(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With VSR_NO_CACHE nothing is read or written."""
    (place / "policy.yaml").write_text(SIMPLE, encoding="utf-8")
    remembered()
    monkeypatch.setenv(answers.OFF, "1")
    assert asked().answer() is None
    shutil.rmtree(place.parent / "cache")
    remembered()
    assert not (place.parent / "cache").exists()


def test_a_check_reads_only_the_policy_and_what_is_installed(place: Path) -> None:
    """Otherwise an answer would depend on files that its key does not know."""
    for name in ("fragment.yaml", "candidate.yaml"):
        (place / name).write_bytes((ROOT / "tests" / "compiler" / name).read_bytes())
    (place / "policy.yaml").write_bytes((ROOT / "tests" / "compiler" / "whole.yaml").read_bytes())
    seen: list[str] = []
    armed = [True]

    def note(event: str, arguments: tuple[object, ...]) -> None:
        if armed[0] and event in {"open", "os.listdir", "os.scandir"}:
            seen.append(os.fsdecode(arguments[0]) if isinstance(arguments[0], (str, bytes)) else repr(arguments[0]))

    findings(Path("policy.yaml"))  # imports what it needs
    sys.addaudithook(note)
    findings(Path("policy.yaml"))
    armed[0] = False
    installed = (str(ROOT / "compiler"), str(ROOT / "runtime"), str(ROOT / "schemas"), sys.prefix, sys.base_prefix)
    assert {name for name in seen if not name.startswith(installed)} == {
        "policy.yaml",
        "fragment.yaml",
        "candidate.yaml",
    }


def entry(place: Path) -> Path:
    """The one document in the cache."""
    (found,) = (place.parent / "cache" / "answers").iterdir()
    return found


def test_a_document_that_another_user_could_have_written_is_not_there(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writable by others, of another owner, a link, or another kind of file."""
    (place / "policy.yaml").write_text(SIMPLE, encoding="utf-8")
    remembered()
    file = entry(place)
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    for path in (file, file.parent):
        mode = path.stat().st_mode
        path.chmod(mode | 0o020)
        assert asked().answer() is None
        path.chmod(mode)
        assert asked().answer() is not None
    with monkeypatch.context() as context:
        context.setattr(os, "geteuid", lambda: 12345)
        assert asked().answer() is None
    elsewhere = place / "elsewhere"
    file.rename(elsewhere)
    file.symlink_to(elsewhere)
    assert asked().answer() is None
    file.unlink()
    os.mkfifo(file, 0o600)
    assert asked().answer() is None


def test_a_broken_document_is_not_there(place: Path) -> None:
    """Cut, altered, of another key, too large, deeply nested, or with other content than findings."""
    (place / "policy.yaml").write_text(SIMPLE, encoding="utf-8")
    remembered()
    file = entry(place)
    good = file.read_bytes()
    text = good.partition(b"\n")[2]

    def sealed(body: bytes, key: str = file.name) -> bytes:
        return store._digest(key, body) + b"\n" + body

    shapes = [b"[]", b"{}", b"null", b"[" * 100_000, b"not json", b'{"files":[],"findings":[[["VSR101"]]],"facts":1}']
    shapes.append(b'{"files":[],"findings":[[["VSR000","m",["f",1,1,1,1],"",null,false]]],"facts":null}')
    shapes.append(b'{"files":[],"findings":[[["VSR101","m",["f",1,1,1],"",null,false]]],"facts":null}')
    for data in (b"", good[:-1], good.replace(b"files", b"filez"), sealed(text, "other"), *map(sealed, shapes)):
        file.write_bytes(data)
        assert asked().answer() is None, data[:80]
    file.write_bytes(sealed(b" " * store.MAX_BYTES + text))
    assert asked().answer() is None
    file.write_bytes(good)
    assert asked().answer() is not None


def test_the_cache_is_bounded(tmp_path: Path) -> None:
    """By number and by size."""
    for number in range(store.MAX_DOCUMENTS * 2):
        store.write(tmp_path / "cache", f"key{number}", number)
    assert len(list((tmp_path / "cache").iterdir())) <= store.MAX_DOCUMENTS
    assert store.read(tmp_path / "cache", f"key{number}") == number
    store.write(tmp_path / "cache", "large", "x" * store.MAX_BYTES)
    assert store.read(tmp_path / "cache", "large") is None


def test_a_cache_that_cannot_be_written_never_fails_a_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in its place, a folder that does not exist, and one that nobody may write."""
    (place / "policy.yaml").write_text(SIMPLE, encoding="utf-8")
    for folder in (place / "policy.yaml", Path("/proc/none"), Path("/dev/null")):
        monkeypatch.setenv("VSR_CACHE_DIR", str(folder))
        assert call("check", "policy.yaml").exit_code == 0
        assert call("compile", "policy.yaml").exit_code == 0
    monkeypatch.delenv("VSR_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(place / "xdg"))
    assert call("check", "policy.yaml").exit_code == 0
    assert list((place / "xdg" / "vsr-compile" / "answers").iterdir())


@pytest.mark.subprocess
def test_a_policy_from_a_pipe_is_read_once(place: Path) -> None:
    """The cache does not take what the check needs."""
    command = [sys.executable, "-c", "from vsr_compiler.cli import main; main()", "check", "/dev/stdin"]
    for _ in range(2):
        result = subprocess.run(command, cwd=place, input=SIMPLE, capture_output=True, text=True, check=False)
        assert (result.returncode, result.stderr) == (0, "/dev/stdin: no findings\n")


@pytest.mark.parametrize("flags", [(), ("--strict",), ("--format", "json")])
def test_check_prints_the_same_again(place: Path, flags: tuple[str, ...]) -> None:
    """Text with excerpts, every format, and warnings as errors: only the findings are remembered."""
    text = SMALL + "guards: {spare: {patterns: builtin, action: flag}}\nsignals: {unused: {keywords: [x]}}\n"
    (place / "policy.yaml").write_text(text, encoding="utf-8")
    first = call("check", "policy.yaml", "--today", DAY, *flags)
    again = call("check", "policy.yaml", "--today", DAY, *flags)
    assert asked().answer() is not None
    assert (again.exit_code, again.stdout, again.stderr) == (first.exit_code, first.stdout, first.stderr)
    assert "unused" in first.output


@pytest.fixture
def project(place: Path) -> Path:
    """A policy with its output, compiled once more so that the answer is known."""
    shutil.copy(policy_file("quickstart"), place / "policy.yaml")
    shutil.copytree(output_of("quickstart"), place / "out" / "quickstart")
    assert "0 written" in compiled().stderr
    return place


def compiled(*flags: str, policy: str = "policy.yaml") -> Result:
    """A compile on a certain day."""
    return call("compile", policy, "--today", DAY, *flags)


def without_pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every compile fail that is not remembered."""
    monkeypatch.setattr("vsr_compiler.pipeline.read_policy", None)


def test_a_compile_that_changes_nothing_is_not_done_again(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says the same, and compares every file with the lock."""
    monkeypatch.setenv(answers.OFF, "1")
    fresh = compiled(), compiled("--check")
    monkeypatch.delenv(answers.OFF)
    without_pipeline(monkeypatch)
    again = compiled(), compiled("--check")
    assert [(one.exit_code, one.stderr) for one in again] == [(one.exit_code, one.stderr) for one in fresh]
    assert json.loads((project / "out" / "quickstart" / "vsr-compile.lock").read_text(encoding="utf-8"))


@pytest.mark.parametrize("what", ["edited", "removed", "lock", "interrupted", "link"])
def test_output_that_was_touched_is_compiled_again(project: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    """What a compile without memory says about it, is said."""
    folder = project / "out" / "quickstart"
    file = folder / "router" / "config.yaml"
    if what == "edited":
        file.write_text(file.read_text(encoding="utf-8") + "# mine\n", encoding="utf-8")
    elif what == "removed":
        file.unlink()
    elif what == "lock":
        lock = folder / "vsr-compile.lock"
        lock.write_text(lock.read_text(encoding="utf-8").replace('"0.1.0"', '"0.0.9"'), encoding="utf-8")
    elif what == "interrupted":
        (project / "out" / ".vsr-compile-quickstart").mkdir()
    else:
        file.rename(project / "config.yaml")
        file.symlink_to(project / "config.yaml")
    shown, plain = compiled("--check"), compiled()
    monkeypatch.setenv(answers.OFF, "1")
    if what in {"edited", "link"}:
        fresh = compiled("--check"), compiled()
        assert [(one.exit_code, one.stderr) for one in fresh] == [(one.exit_code, one.stderr) for one in (shown, plain)]
        assert plain.exit_code == 1
    else:
        assert (shown.exit_code, plain.exit_code) == (0 if what == "interrupted" else 1, 0)
        assert compiled("--check").exit_code == 0


def test_every_flag_that_asks_for_work_gets_it(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Training again and validating by schemas are not remembered."""
    del project
    without_pipeline(monkeypatch)
    for flag in ("--rebuild", "--schema"):
        with pytest.raises(TypeError):
            compiled(flag)


def test_policies_that_cannot_share_a_cluster_are_reported_again(place: Path) -> None:
    """What a compile puts into clusters is remembered with it."""
    gitops = 'gitops: {repo: "https://git.example.com/team/routing.git"}\n'
    (place / "policies").mkdir()
    for name in ("small", "other"):
        text = SIMPLE.replace("{name: small}", f"{{name: {name}}}") + gitops
        (place / "policies" / f"{name}.yaml").write_text(text, encoding="utf-8")
    compiled(policy="policies")
    first, again = compiled(policy="policies"), compiled(policy="policies")
    assert "VSR309" in first.stderr
    assert (again.exit_code, again.stderr) == (first.exit_code, first.stderr)
