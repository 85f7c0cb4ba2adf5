"""Kinds of kustomizations in public repositories which our own build and that of kubectl did not agree on."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from support.common import call
from vsr_compiler.verify.files import read_manifests
from vsr_compiler.verify.kustomization import program

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: y}\n"
SERVER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: system}
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: "nginx:1", args: ["--n", "1"]}]
      volumes: [{name: v, configMap: {name: cfg}}]
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
          - {topologyKey: zone, labelSelector: {matchLabels: {app: web}}}
      topologySpreadConstraints:
      - {maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule, labelSelector: {matchLabels: {app: web}}}
"""
ROLES = """\
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: one}, rules: []}
---
{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: r, namespace: two}, rules: []}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: b, namespace: one}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: r}
"""
RENAME = (
    "patches:\n- target: {kind: Role, namespace: two}\n  patch: '- {op: replace, path: /metadata/name, value: other}'\n"
)
CHANGED = """\
patches:
- target: {kind: ClusterRole}
  patch: |-
    - {op: replace, path: /kind, value: Role}
    - {op: add, path: /metadata/namespace, value: one}
    - {op: replace, path: /metadata/name, value: s}
"""
NUMBER = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: 0}\n"
THREE = CONFIG.replace("x: y", 'n: "3"')
LOCAL = CONFIG.replace("name: a", "name: b, annotations: {config.kubernetes.io/local-config: yes-it-is}")
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}
REPLACED = """\
replacements:
- source: {kind: Deployment, fieldPath: spec.replicas}
  targets: [{select: {kind: Deployment}, fieldPaths: [".spec.template.spec.containers.[name=web].args.1"]}]
- source: {kind: ConfigMap, fieldPath: data.n}
  targets: [{select: {kind: Deployment}, fieldPaths: [spec.replicas]}]
"""
SAME: dict[str, tuple[str, str]] = {
    "a name that YAML reads as a number": (NUMBER + "data: {x: y}\n", "namePrefix: p-\n"),
    "a patch whose name is a number": (
        NUMBER,
        f"namePrefix: p-\npatches: [{{patch: {json.dumps(NUMBER + 'data: {x: z}')}}}]\n",
    ),
    "a ConfigMap of another namespace": (SERVER, "configMapGenerator: [{name: cfg, literals: [a=b]}]\n"),
    "labels in selectors that exist": (SERVER, "commonLabels: {team: x}\n"),
    "a Role that was renamed in another namespace": (ROLES, RENAME),
    "a patch that changes kind and name": (
        ROLES.replace("Role, metadata: {name: r, namespace: two}", "ClusterRole, metadata: {name: r}"),
        CHANGED,
    ),
    "a number in place of a text, and a text in place of a number": (
        f"{SERVER}---\n{THREE}",
        REPLACED,
    ),
    "a behaviour that is none": (CONFIG, "configMapGenerator: [{name: b, behavior: add, literals: [a=b]}]\n"),
    "a Secret without data": (CONFIG, "secretGenerator: [{name: s, options: {disableNameSuffixHash: true}}]\n"),
    "a target with a set of letters": (
        CONFIG,
        "patches: [{target: {name: '[ab]'}, patch: '- {op: add, path: /data/k, value: v}'}]\n",
    ),
    "an object that is for another tool": (
        f"{CONFIG}---\n{LOCAL}",
        "namePrefix: p-\n",
    ),
}


def write(folder: Path, objects: str, kustomization: str) -> Path:
    """A folder with a file of objects and a kustomization."""
    folder.mkdir(exist_ok=True)
    (folder / "objects.yaml").write_text(objects, encoding="utf-8")
    (folder / "kustomization.yaml").write_text(f"resources: [objects.yaml]\n{kustomization}", encoding="utf-8")
    return folder


def without_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only our own build."""
    monkeypatch.setattr(program, "command", lambda: None)


def program_of(monkeypatch: pytest.MonkeyPatch, folder: Path, script: str) -> Path:
    """A program in place of kubectl. Return the file that it writes when it is started."""
    started, path = folder / "started", folder / "kustomize"
    path.write_text(f"#!/bin/sh\necho x >{started}\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(program, "command", lambda: [str(path)])
    return started


def plain(bodies: list[Any]) -> list[Any]:
    """Objects in order, without styles."""
    return sorted((json.loads(json.dumps(body)) for body in bodies), key=lambda body: json.dumps(body, sort_keys=True))


@pytest.mark.subprocess
@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
@pytest.mark.parametrize("name", SAME)
def test_public_kind_of_kustomization_is_built_as_by_kubectl(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without kubectl's help."""
    folder = write(tmp_path / "k", *SAME[name])
    output = subprocess.run(["kubectl", "kustomize", folder], capture_output=True, check=True, text=True).stdout
    expected = [body for body in YAML(typ="safe").load_all(output) if body]
    without_program(monkeypatch)
    objects, found = read_manifests([folder])
    assert (found, plain([item.body for item in objects])) == ([], plain(expected))


def test_error_of_our_build_is_dropped_if_kubectl_builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it builds is checked."""
    folder = write(tmp_path / "k", CONFIG, "replicas: [{name: none, count: 2}]\n")
    without_program(monkeypatch)
    assert [item.code for item in read_manifests([folder])[1]] == ["VSR482"]
    program_of(monkeypatch, tmp_path, f"echo '{json.dumps(SECRET)}'")
    objects, found = read_manifests([folder])
    assert ([item.kind for item in objects], found) == (["Secret"], [])


def test_error_of_our_build_remains_if_kubectl_refuses_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once."""
    folder = write(tmp_path / "k", CONFIG, "replicas: [{name: none, count: 2}]\n")
    started = program_of(monkeypatch, tmp_path, "exit 1")
    assert [item.code for item in read_manifests([folder])[1]] == ["VSR482"]
    assert started.exists()


@pytest.mark.parametrize(
    "entry",
    [
        "patches: [{path: 'https://example.com/p.yaml'}]",
        "patchesStrategicMerge: ['https://example.com/p.yaml']",
        "patchesJson6902: [{target: {kind: ConfigMap}, path: 'http://127.0.0.1:80/p.yaml'}]",
        "configMapGenerator: [{name: c, files: ['k=https://example.com/f']}]",
        "secretGenerator: [{name: c, envs: ['https://example.com/f']}]",
        "replacements: [{path: 'https://example.com/r.yaml'}]",
        "transformers: ['https://example.com/t.yaml']",
        "transformers: [t.yaml]",
        "transformers: [t]",
        "generators: [\"apiVersion: builtin\\nkind: ConfigMapGenerator\\nfiles: ['https://example.com/f']\\n\"]",
        "openapi: {path: 'https://example.com/o.json'}",
        "configurations: ['https://example.com/c.yaml']",
        "components: ['https://example.com/c//d?ref=v1']",
    ],
)
def test_address_in_a_kustomization_is_never_fetched(
    entry: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kubectl is not started, even where our own build cannot do something else; a note names the address."""
    folder = write(tmp_path / "k", CONFIG, f"{entry}\nvars: [{{name: X, objref: {{kind: ConfigMap, name: a}}}}]\n")
    (folder / "t").mkdir()
    for place in (folder / "t.yaml", folder / "t" / "p.yaml"):
        place.write_text("apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: t}\npath: https://x/y\n")
    (folder / "t" / "kustomization.yaml").write_text("resources: [p.yaml]\n")
    started = program_of(monkeypatch, tmp_path, "exit 0")
    found = read_manifests([folder])[1]
    assert not started.exists()
    assert any(item.code == "VSR433" and "not fetched" in item.message for item in found)


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("resorces: [a.yaml]", "unknown field `resorces`. Did you mean `resources`?"),
        ("patches: [{patch: '[{op: add, path: /data/k, value: v}]', target: {kind: ConfigMap}}]", "as JSON"),
        ("patches: [{pach: p.yaml, patch: 'a: b', target: {kind: X}}]", "unknown field `pach`. Did you mean"),
        ("configMapGenerator: [{name: c, literal: [a=b]}]", "unknown field `literal`. Did you mean `literals`?"),
    ],
)
def test_what_kustomize_does_not_read_is_an_error(
    entry: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise what it names would be hidden."""
    without_program(monkeypatch)
    found = read_manifests([write(tmp_path / "k", CONFIG, f"{entry}\n")])[1]
    assert message in " ".join(item.message for item in found if item.code == "VSR482")


@pytest.mark.parametrize(
    "objects",
    ["apiVersion: v1\nmetadata: {name: a}\n", "kind: Secret\nmetadata: {name: a}\n", NUMBER, "a: b\n", "[a]\n"],
)
def test_object_that_no_server_reads_is_an_error_in_a_kustomization_too(
    objects: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not left out without a word."""
    without_program(monkeypatch)
    objects_found, found = read_manifests([write(tmp_path / "k", objects, "")])
    assert (objects_found, [item.code for item in found]) == ([], ["VSR431"])


def test_kustomization_of_flux_in_a_file_of_that_name_is_an_object(tmp_path: Path) -> None:
    """It is applied, not built, and hides no file beside it."""
    (tmp_path / "kustomization.yaml").write_text(
        "apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: apps, namespace: flux}\n"
        "spec: {interval: 5m, path: ./apps, prune: yes-please, sourceRef: {kind: GitRepository, name: r}}\n"
    )
    (tmp_path / "a.yaml").write_text(CONFIG)
    result = call("verify", tmp_path, "--no-envoy")
    assert "prune" in result.stderr
    assert "VSR482" not in result.stderr
    assert {item.kind for item in read_manifests([tmp_path])[0]} == {"Kustomization", "ConfigMap"}


def test_reason_of_kubectl_is_shown_without_its_log_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only kubectl can build, and refuses."""
    folder = write(tmp_path / "k", CONFIG, "vars: [{name: X, objref: {kind: ConfigMap, name: a}}]\n")
    log = 'E1202 10:21:05.292018   13186 run.go:72] "command failed" err="no \\"X\\" here"'
    program_of(monkeypatch, tmp_path, f"echo '{log}' >&2; exit 1")
    (item,) = [item for item in read_manifests([folder])[1] if item.code == "VSR482"]
    assert item.message == 'it cannot be built: no "X" here'
