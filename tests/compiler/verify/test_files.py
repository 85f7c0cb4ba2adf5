"""Files and folders: which objects are read, what is skipped, and how that is reported."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import support.verify_support as m
from support.common import SMALL, call
from vsr_compiler.deploy.file_releases import is_output
from vsr_compiler.verify import files, folders, worlds
from vsr_compiler.verify.files import read_manifests
from vsr_compiler.verify.limits import Budget


def put(folder: Path, **files: str) -> None:
    """Write files to a folder; two underscores stand for a slash, and the suffix is added."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_folder_is_read_recursively_and_each_file_once(tmp_path: Path) -> None:
    """Hidden files and other suffixes are ignored; a document without a kind is a note."""
    put(tmp_path, a=m.GATEWAY, deep__b=m.SERVICE, values="replicas: 2\n")
    (tmp_path / "notes.txt").write_text("{", encoding="utf-8")
    (tmp_path / ".hidden.yaml").write_text("{", encoding="utf-8")
    objects, found = read_manifests([tmp_path, tmp_path / "a.yaml"])
    assert sorted(each.kind for each in objects) == ["Gateway", "Service"]
    assert [item.code for item in found] == ["VSR432"]


def test_kustomization_is_built(tmp_path: Path) -> None:
    """Remote resources are reported, and what lies beside a base is not part of it."""
    overlay = "resources: [../base, https://example.com/x.yaml]\nnamePrefix: a-\n"
    put(tmp_path, base__kustomization="resources: [s.yaml]\n", base__s=m.SERVICE, base__other=m.GATEWAY)
    put(tmp_path, dev__kustomization=overlay)
    objects, found = read_manifests([tmp_path / "dev"])
    assert [each.name for each in objects] == ["a-big"]
    assert [item.code for item in found] == ["VSR433"]
    assert "https://example.com/x.yaml not fetched" in found[0].message
    assert "kubectl kustomize" in found[0].hint


def test_cyclic_kustomizations_are_an_error(tmp_path: Path) -> None:
    """As for kustomize. Symbolic links to folders are not followed."""
    put(
        tmp_path, a__kustomization="resources: [../b]\n", b__kustomization="resources: [../a, x.yaml]\n", b__x=m.SERVICE
    )
    (tmp_path / "a" / "link").symlink_to(tmp_path, target_is_directory=True)
    objects, found = read_manifests([tmp_path])
    assert (len(objects), [item.code for item in found]) == (1, ["VSR482"])


def test_missing_file_is_a_finding(tmp_path: Path) -> None:
    """On the command line and in a kustomization."""
    put(tmp_path, kustomization="resources: [gone.yaml]\n")
    assert [item.code for item in read_manifests([tmp_path, tmp_path / "none.yaml"])[1]] == ["VSR001", "VSR001"]


def test_invalid_kustomization_is_a_finding(tmp_path: Path) -> None:
    """Nothing is raised."""
    put(tmp_path, kustomization="resources: [\n")
    assert [item.code for item in read_manifests([tmp_path])[1]] == ["VSR002"]


def test_standard_input_is_read_as_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """As printed by `kubectl kustomize`."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(m.SERVICE.encode())))
    assert [each.kind for each in read_manifests([Path("-")])[0]] == ["Service"]


@pytest.mark.subprocess
def test_command_prints_findings_with_places_and_exits_1_for_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without errors it exits 0; `--strict` treats warnings as errors."""
    monkeypatch.chdir(tmp_path)
    put(
        tmp_path,
        good=m.joined(*m.ISTIO),
        bad=m.joined(m.GATEWAY, m.ROUTE, m.SERVICE.replace("{name: big,", "{name: other,")),
        warns=m.joined(m.GATEWAY, m.SERVICE.replace(", namespace: prod", "")),
    )
    good, bad = call("verify", "good.yaml"), call("verify", "bad.yaml")
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert good.stderr.endswith("1 note\n7 objects verified\n")
    assert "bad.yaml:17:19: error VSR402 [L02]: HTTPRoute `prod/big` refers to Service `prod/big`" in bad.stderr
    assert call("verify", "bad.yaml", "--assume", "Service/prod/big").exit_code == 0
    assert (call("verify", "warns.yaml").exit_code, call("verify", "warns.yaml", "--strict").exit_code) == (0, 1)


def test_empty_input_is_a_usage_error(tmp_path: Path) -> None:
    """A failed command in a pipeline produces an empty stream."""
    put(tmp_path, values="replicas: 2\n")
    (tmp_path / "empty").mkdir()
    for name in (tmp_path, tmp_path / "empty"):
        result = call("verify", name)
        assert result.exit_code == 2
        assert f"There is no Kubernetes object in `{name}`." in result.stderr
    result = call("verify", "-", stdin="")
    assert result.exit_code == 2
    assert "There is no Kubernetes object in standard input." in result.stderr


def test_policy_is_not_read_as_a_manifest(tmp_path: Path) -> None:
    """The hint names `vsr-compile check`."""
    put(tmp_path, policy=SMALL)
    result = call("verify", tmp_path / "policy.yaml")
    assert result.exit_code == 1
    assert "VSR431 [M02]: this RoutingPolicy is not a Kubernetes object" in result.stderr
    assert "vsr-compile check" in result.stderr


def test_command_prints_every_format(tmp_path: Path) -> None:
    """As one document on stdout."""
    put(tmp_path, bad=m.joined(m.GATEWAY, m.ROUTE))
    report = json.loads(call("verify", tmp_path / "bad.yaml", "--format", "json").stdout)
    assert {item["code"] for item in report["findings"]} == {"VSR402", "VSR624"}
    assert json.loads(call("verify", tmp_path / "bad.yaml", "--format", "sarif").stdout)["runs"]


@pytest.mark.parametrize("word", ["Service", "Service/", "/a/b", "Service/a/b/c"])
def test_malformed_assumption_is_a_usage_error(word: str, tmp_path: Path) -> None:
    """The message has the correct form."""
    put(tmp_path, a=m.SERVICE)
    result = call("verify", tmp_path / "a.yaml", "--assume", word)
    assert result.exit_code == 2
    assert "KIND/NAMESPACE/NAME" in result.stderr


def test_settings_of_our_programs_are_skipped(tmp_path: Path) -> None:
    """They are a note in a folder, an error by name, and expected in generated output."""
    text = "apiVersion: vsr.dev/v1alpha1\nkind: RuntimeSettings\npolicy: a\n"
    put(tmp_path, a=m.GATEWAY, router__runtime=text)
    objects, found = read_manifests([tmp_path])
    assert [each.kind for each in objects] == ["Gateway"]
    assert [item.code for item in found] == ["VSR432"]
    assert [item.code for item in read_manifests([tmp_path / "router" / "runtime.yaml"])[1]] == ["VSR431"]
    (tmp_path / "vsr-compile.lock").write_text("{}", encoding="utf-8")
    objects, found = read_manifests([tmp_path], is_output)
    assert [each.kind for each in objects] == ["Gateway"]
    assert found == []


def test_limit_of_a_run_is_reported_once_with_the_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not once for each file that it leaves out."""
    for number in range(4):
        (tmp_path / f"{number}.yaml").write_text(m.SERVICE, encoding="utf-8")
    monkeypatch.setattr(files, "Budget", lambda: Budget(bytes=len(m.SERVICE) + 1))
    objects, (item,) = read_manifests([tmp_path])
    assert (len(objects), item.code) == (1, "VSR430")
    assert item.message.endswith("MiB of manifests; 3 files are not checked")
    assert "`exclude`" in item.hint


def test_more_alternatives_than_a_run_checks_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """None is left out without a word."""
    monkeypatch.setattr(worlds, "MAX_WORLDS", 3)
    for number in range(5):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "examples.yaml").write_text(m.SERVICE + "---\n" + m.SERVER, encoding="utf-8")
    read = files.read_worlds([tmp_path])
    assert (len(read.worlds), [item.code for item in read.diagnostics]) == (3, ["VSR430"])


def test_more_entries_than_a_run_looks_at_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first folder that is left out is named."""
    monkeypatch.setattr(folders, "_MAX_ENTRIES", 3)
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "s.yaml").write_text(m.SERVICE.replace("big", name), encoding="utf-8")
    _, found = read_manifests([tmp_path])
    assert [item.code for item in found] == ["VSR430"]
    assert f"`{tmp_path / 'a'}`" in found[0].message
