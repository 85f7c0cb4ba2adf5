"""Files and folders: what is read, what is left out, and what is said of it."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import support.verify_support as m
from support.common import SMALL, call
from vsr_compiler.verify.files import read


def put(folder: Path, **files: str) -> None:
    """Files of a folder; two underscores stand for a slash, the suffix is added."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def test_a_folder_is_all_its_yaml_and_a_file_in_two_ways_is_read_once(tmp_path: Path) -> None:
    """Hidden files and other suffixes are passed by; a document without a kind is a note."""
    put(tmp_path, a=m.GATEWAY, deep__b=m.SERVICE, values="replicas: 2\n")
    (tmp_path / "notes.txt").write_text("{", encoding="utf-8")
    (tmp_path / ".hidden.yaml").write_text("{", encoding="utf-8")
    objects, found = read([tmp_path, tmp_path / "a.yaml"])
    assert sorted(each.kind for each in objects) == ["Gateway", "Service"]
    assert [item.code for item in found] == ["VSR432"]


def test_a_kustomization_stands_for_its_resources_and_is_not_built(tmp_path: Path) -> None:
    """Patches are no objects, what would change is named, and what is far away is not fetched."""
    overlay = "resources: [../base, https://example.com/x.yaml]\npatches: [{path: p.yaml}]\nnamePrefix: a-\n"
    put(tmp_path, base__kustomization="resources: [s.yaml]\n", base__s=m.SERVICE, base__other=m.GATEWAY)
    put(tmp_path, dev__kustomization=overlay, dev__p="kind: Service")
    objects, found = read([tmp_path / "dev"])
    assert [each.kind for each in objects] == ["Service"]
    assert [item.code for item in found] == ["VSR433", "VSR433"]
    assert "patches, namePrefix not applied" in found[0].message
    assert "https://example.com/x.yaml not fetched" in found[1].message
    assert "kubectl kustomize" in found[0].hint


def test_kustomizations_that_name_each_other_end(tmp_path: Path) -> None:
    """A circle is walked once, and a link to a folder is not followed."""
    put(
        tmp_path, a__kustomization="resources: [../b]\n", b__kustomization="resources: [../a, x.yaml]\n", b__x=m.SERVICE
    )
    (tmp_path / "a" / "link").symlink_to(tmp_path, target_is_directory=True)
    objects, found = read([tmp_path])
    assert (len(objects), found) == (1, [])


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    """Named by a person, or by a kustomization."""
    put(tmp_path, kustomization="resources: [gone.yaml]\n")
    assert [item.code for item in read([tmp_path, tmp_path / "none.yaml"])[1]] == ["VSR001", "VSR001"]


def test_a_broken_kustomization_is_a_finding(tmp_path: Path) -> None:
    """And no traceback."""
    put(tmp_path, kustomization="resources: [\n")
    assert [item.code for item in read([tmp_path])[1]] == ["VSR002"]


def test_standard_input_is_a_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `kubectl kustomize` prints it."""
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(m.SERVICE.encode())))
    assert [each.kind for each in read([Path("-")])[0]] == ["Service"]


@pytest.mark.subprocess
def test_the_verb_prints_findings_with_their_places_and_exits_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream without errors exits 0, with notes or without; `--strict` takes warnings for errors."""
    monkeypatch.chdir(tmp_path)
    put(tmp_path, good=m.joined(*m.ISTIO), bad=m.joined(m.GATEWAY, m.ROUTE), warns=m.joined(m.SERVICE))
    good, bad = call("verify", "good.yaml"), call("verify", "bad.yaml")
    assert (good.exit_code, bad.exit_code) == (0, 1)
    assert good.stderr.endswith("2 notes\n7 objects verified\n")
    assert "bad.yaml:17:19: error VSR402 [L02]: HTTPRoute `prod/big` names Service `prod/big`" in bad.stderr
    assert call("verify", "bad.yaml", "--assume", "Service/prod/big").exit_code == 0
    assert (call("verify", "warns.yaml").exit_code, call("verify", "warns.yaml", "--strict").exit_code) == (0, 1)


def test_nothing_to_verify_is_not_right(tmp_path: Path) -> None:
    """An empty stream is what a pipeline gets whose first command failed."""
    put(tmp_path, values="replicas: 2\n")
    (tmp_path / "empty").mkdir()
    for name in (tmp_path, tmp_path / "empty"):
        result = call("verify", name)
        assert result.exit_code == 2
        assert f"There is no Kubernetes object in `{name}`." in result.stderr
    result = call("verify", "-", stdin="")
    assert result.exit_code == 2
    assert "There is no Kubernetes object in standard input." in result.stderr


def test_a_policy_is_not_taken_for_a_manifest(tmp_path: Path) -> None:
    """Else a definition of its kind would be asked for, and all be well."""
    put(tmp_path, policy=SMALL)
    result = call("verify", tmp_path / "policy.yaml")
    assert result.exit_code == 1
    assert "VSR431 [M02]: this is a RoutingPolicy of ours" in result.stderr
    assert "vsr-compile check" in result.stderr


def test_the_verb_prints_every_format(tmp_path: Path) -> None:
    """One document on stdout."""
    put(tmp_path, bad=m.joined(m.GATEWAY, m.ROUTE))
    report = json.loads(call("verify", tmp_path / "bad.yaml", "--format", "json").stdout)
    assert {item["code"] for item in report["findings"]} == {"VSR402", "VSR440"}
    assert json.loads(call("verify", tmp_path / "bad.yaml", "--format", "sarif").stdout)["runs"]


@pytest.mark.parametrize("word", ["Service", "Service/", "/a/b", "Service/a/b/c"])
def test_what_is_assumed_in_another_form_is_a_mistake_of_usage(word: str, tmp_path: Path) -> None:
    """Said with the form that is right."""
    put(tmp_path, a=m.SERVICE)
    result = call("verify", tmp_path / "a.yaml", "--assume", word)
    assert result.exit_code == 2
    assert "KIND/NAMESPACE/NAME" in result.stderr


def test_what_our_own_programs_read_is_no_object(tmp_path: Path) -> None:
    """A whole output can be checked; a file that is named must hold objects."""
    text = "apiVersion: vsr.dev/v1alpha1\nkind: RuntimeSettings\npolicy: a\n"
    put(tmp_path, a=m.GATEWAY, router__runtime=text)
    objects, found = read([tmp_path])
    assert [each.kind for each in objects] == ["Gateway"]
    assert [item.code for item in found] == ["VSR432"]
    assert [item.code for item in read([tmp_path / "router" / "runtime.yaml"])[1]] == ["VSR431"]
    (tmp_path / "vsr-compile.lock").write_text("{}", encoding="utf-8")
    objects, found = read([tmp_path])
    assert [each.kind for each in objects] == ["Gateway"]
    assert found == [], "a compile wrote it, and nobody need be told"
