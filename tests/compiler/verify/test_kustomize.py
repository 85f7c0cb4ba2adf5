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
    """Findings about the patched value point to the object in the base."""
    (found,), problems = read_manifests([overlay(tmp_path, PORT)])
    assert (found.at("spec", "ports", 0, "port"), problems) == (8080, [])
    assert found.span("spec", "ports", 0, "port").file == str(tmp_path / "base" / "s.yaml")


def test_deletion_in_an_overlay_removes_the_object(tmp_path: Path) -> None:
    """By identity."""
    gone = "{$patch: delete, apiVersion: v1, kind: Service, metadata: {name: big, namespace: prod}}\n"
    assert read_manifests([overlay(tmp_path, gone, "a: b")]) == ([], [])


@pytest.mark.parametrize(
    ("patch", "entry"),
    [
        ("- {op: test, path: /kind, value: Service}\n", TARGET),
        ("- {op: remove, path: /spec/none}\n", TARGET),
        ("- 3\n", TARGET),
        ("spec: {type: NodePort}\n", TARGET),
        (PORT, 'target: {kind: Service, name: "(a*)*b"}'),
        (PORT, "target: {kind: Service, labelSelector: a=b}"),
        (PORT, "target: {kind: Deployment}"),
        ("$patch: delete\n", "a: b"),
        ("[\n", TARGET),
    ],
)
def test_unsupported_patch_is_reported_and_not_applied(patch: str, entry: str, tmp_path: Path) -> None:
    """A strategic merge, a regular expression, another operation: the hint names kustomize."""
    (found,), problems = read_manifests([overlay(tmp_path, patch, entry)])
    assert found.at("spec", "ports", 0, "port") == 80
    assert "VSR433" in {item.code for item in problems}


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
