"""Overlays of ours are checked as they are applied: patched, and each with its own base only."""

from __future__ import annotations

from pathlib import Path

import pytest

import support.verify_support as m
from support.common import call
from support.gitops_support import PLAIN
from vsr_compiler.verify.files import read_manifests

MOVED = """\
environments:
  dev: {target: gie}
  prod: {target: gie, gateway: {namespace: ingress}, replicas: {router: 3}}
  plain: {target: istio}
"""
TARGET = "target: {version: v1, kind: Service, name: big, namespace: prod}"
PORT = "- {op: replace, path: /spec/ports/0/port, value: 8080}\n"


def overlay(folder: Path, patch: str, entry: str = TARGET) -> Path:
    """Write a base with one Service, and an overlay with one patch for it."""
    files = {
        "base/kustomization.yaml": "resources: [s.yaml]\n",
        "base/s.yaml": m.SERVICE,
        "dev/kustomization.yaml": f"resources: [../base]\npatches: [{{path: p.yaml, {entry}}}]\n",
        "dev/p.yaml": patch,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder / "dev"


def test_json_patch_of_an_overlay_is_applied(tmp_path: Path) -> None:
    """Findings about the patched value point to the patch, all others to the object in the base."""
    (found,), problems = read_manifests([overlay(tmp_path, PORT)])
    assert (found.at("spec", "ports", 0, "port"), problems) == (8080, [])
    assert found.span("spec", "ports", 0, "port").file == str(tmp_path / "dev" / "p.yaml")
    assert found.span("spec", "selector").file == str(tmp_path / "base" / "s.yaml")


def test_deletion_in_an_overlay_removes_the_object(tmp_path: Path) -> None:
    """By identity."""
    gone = "{$patch: delete, apiVersion: v1, kind: Service, metadata: {name: big, namespace: prod}}\n"
    assert read_manifests([overlay(tmp_path, gone, "options: {}")]) == ([], [])


@pytest.mark.parametrize(
    ("patch", "entry", "code"),
    [
        ("- {op: test, path: /kind, value: Servize}\n", TARGET, "VSR482"),
        ("- {op: remove, path: /spec/none}\n", TARGET, "VSR482"),
        ("- 3\n", TARGET, "VSR482"),
        ("{apiVersion: v1, kind: Service, metadata: {name: none}}\n", "options: {}", "VSR482"),
        ("- {op: move, from: /spec, path: /a}\n", TARGET, "VSR433"),
        (PORT, 'target: {kind: Service, name: "(a*)*b"}', "VSR433"),
        ("[\n", TARGET, "VSR002"),
    ],
)
def test_patch_that_cannot_be_applied_is_reported(
    patch: str, entry: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The object remains as it was."""
    monkeypatch.setenv("PATH", "")
    (found,), problems = read_manifests([overlay(tmp_path, patch, entry)])
    assert found.at("spec", "ports", 0, "port") == 80
    assert code in {item.code for item in problems}


@pytest.mark.subprocess
def test_what_is_not_built_here_is_built_by_kubectl(tmp_path: Path) -> None:
    """With the places of the resources."""
    (found,), problems = read_manifests([overlay(tmp_path, "- {op: copy, from: /kind, path: /metadata/x}\n")])
    assert (found.at("metadata", "x"), problems) == ("Service", [])
    assert found.span("spec", "ports").file == str(tmp_path / "base" / "s.yaml")


@pytest.mark.parametrize(
    "given", ["out/small", "out/small/gie", "out/small/gie/overlays", "out/small/gie/overlays/prod"]
)
def test_output_with_an_external_gateway_has_no_errors(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Overlays are checked separately: targets are alternatives and are never applied together."""
    monkeypatch.chdir(tmp_path)
    Path("policies").mkdir()
    text = PLAIN.replace("endpoints:\n", "endpoints:\n  far: {pods: {namespace: far, selector: {app: far}}}\n")
    text = text.replace("[one]", "one").replace("[two]", "far")
    text = text.replace("default: big\n", MOVED + "default: big\n")
    Path("policies/small.yaml").write_text(text, encoding="utf-8")
    compiled = call("compile", "policies/small.yaml")
    assert compiled.exit_code == 0, compiled.stderr
    result = call("verify", given, "--no-envoy", "--strict")
    assert (result.exit_code, "error" in result.stderr) == (0, False), result.stderr


def test_fault_of_a_shared_base_is_reported_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several overlays use the base."""
    monkeypatch.chdir(tmp_path)
    Path("policies").mkdir()
    Path("policies/small.yaml").write_text(PLAIN + MOVED, encoding="utf-8")
    assert call("compile", "policies/small.yaml").exit_code == 0
    (path,) = Path("out/small/gie/base").rglob("httproute-little.yaml")
    path.write_text(path.read_text(encoding="utf-8").replace("name: two", "name: none"), encoding="utf-8")
    result = call("verify", "out/small/gie", "--no-envoy")
    assert (result.exit_code, result.stderr.count("error VSR402")) == (1, 1)
