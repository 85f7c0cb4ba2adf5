"""Kustomizations are built as kubectl does it, with the places of the user's files."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

import support.verify_support as m
from support.common import call, reference
from support.properties import examples
from vsr_compiler.verify.files import read_manifests

CASES = "data/cases/verify"
SERVER = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      serviceAccountName: web
      containers:
      - name: web
        image: nginx:1.0
        env: [{name: A, value: "1"}, {name: C, value: "3"}]
        envFrom: [{configMapRef: {name: cfg}}, {secretRef: {name: sec}}]
        ports: [{containerPort: 8080}]
        volumeMounts: [{name: v, mountPath: /v}]
      volumes: [{name: v, projected: {sources: [{configMap: {name: cfg}}, {secret: {name: sec}}]}}]
"""
BASE = {
    "base/kustomization.yaml": """\
resources: [objects.yaml, server.yaml]
configMapGenerator: [{name: cfg, literals: [a=b, "c='x<y&z'"], files: [f.txt, g=f.txt], envs: [e.env]}]
secretGenerator: [{name: sec, literals: [k=v], type: Opaque}]
""",
    "base/f.txt": "hello & bye \u2028 ä\n",
    "base/e.env": "# comment\nX=1\nY = 2 \n\n",
    "base/server.yaml": SERVER,
    "base/objects.yaml": """\
apiVersion: v1
kind: Service
metadata: {name: web, labels: {a: b}}
spec: {selector: {app: web}, ports: [{name: http, port: 80, targetPort: 8080}, {name: m, port: 90}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: web}
imagePullSecrets: [{name: sec}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: web}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: web}
subjects:
- {kind: ServiceAccount, name: web, namespace: default}
- {kind: ServiceAccount, name: default, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: web}
rules: []
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: web}
spec: {rules: [{backendRefs: [{name: web, port: 80}]}]}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: web}
spec: {scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}, maxReplicas: 3}
---
apiVersion: v1
kind: Namespace
metadata: {name: old}
---
apiVersion: v1
kind: ConfigMapList
items: [{apiVersion: v1, kind: ConfigMap, metadata: {name: listed}}]
""",
    "component/kustomization.yaml": """\
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
patches:
- target: {kind: Service, name: we.*}
  patch: |-
    - {op: add, path: /metadata/annotations, value: {x: "y"}}
    - {op: replace, path: /spec/ports/0/port, value: 81}
""",
}
PARTS = (
    "namespace: dev\n",
    "namePrefix: dev-\n",
    "nameSuffix: -v1\n",
    "components: [../component]\n",
    'images: [{name: nginx, newName: "r.io:5000/nginx", newTag: "2.0"}]\n',
    "images: [{name: nginx, digest: sha256:abc}]\n",
    "replicas: [{name: web, count: 3}]\n",
    "labels: [{pairs: {env: dev}, includeTemplates: true}, {pairs: {t: x}, includeSelectors: true}, {pairs: {z: q}}]\n",
    "commonLabels: {team: x}\n",
    "commonAnnotations: {note: hi}\n",
    "configMapGenerator: [{name: cfg, behavior: merge, literals: [z=1]}]\n",
    "configMapGenerator: [{name: new, literals: [z=1]}]\ngeneratorOptions: {disableNameSuffixHash: true, labels: {g: h}}\n",  # noqa: E501
    """\
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      template:
        spec:
          containers:
          - {name: side, image: nginx}
          - {name: web, env: [{name: B, value: "2"}, {name: A, $patch: delete}], ports: [{containerPort: 9, name: x}]}
          volumes: [{name: w, emptyDir: {}}]
""",
    """\
patches:
- target: {kind: Deployment}
  patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: any, labels: {added: "1"}}
    spec: {replicas: 2, template: {spec: {containers: [{name: web, volumeMounts: null}], serviceAccountName: null}}}
- target: {kind: HTTPRoute}
  patch: |-
    apiVersion: gateway.networking.k8s.io/v1
    kind: HTTPRoute
    metadata: {name: any}
    spec: {rules: [{backendRefs: [{name: other, port: 1}]}]}
""",
    'patchesJson6902: [{target: {kind: Service, name: web}, patch: "- {op: remove, path: /spec/ports/1}"}]\n',
    """\
patches:
- target: {labelSelector: a=b}
  patch: |-
    - {op: add, path: /spec/ports/-, value: {name: z, port: 7}}
""",
    """\
patchesStrategicMerge:
- |-
  $patch: delete
  apiVersion: autoscaling/v2
  kind: HorizontalPodAutoscaler
  metadata: {name: web}
""",
    """\
replacements:
- source: {kind: Service, name: web, fieldPath: "spec.ports.[name=http].port"}
  targets:
  - {select: {kind: Deployment}, fieldPaths: ["spec.template.spec.containers.[name=web].ports.0.containerPort"]}
- source: {kind: ServiceAccount, fieldPath: metadata.name}
  targets:
  - {select: {kind: HTTPRoute}, fieldPaths: [metadata.annotations.account], options: {create: true}}
  - select: {kind: Deployment}
    fieldPaths: ["spec.template.spec.containers.*.image"]
    options: {delimiter: ":", index: 1}
""",
)


def write(folder: Path, files: dict[str, str]) -> None:
    """Write files below a folder."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def kubectl(folder: Path) -> dict[tuple[str, str, str], Any]:
    """What kubectl builds."""
    program = shutil.which("kubectl")
    if program is None:
        pytest.skip("kubectl is not installed")
    done = subprocess.run([program, "kustomize", folder], capture_output=True, check=True, timeout=60)
    return by_name([body for body in YAML(typ="safe", pure=True).load_all(done.stdout.decode()) if body])


def by_name(bodies: list[Any]) -> dict[tuple[str, str, str], Any]:
    """Objects by kind, namespace and name, without styles."""
    return {
        (body["kind"], body["metadata"].get("namespace", ""), body["metadata"]["name"]): json.loads(json.dumps(body))
        for body in bodies
    }


def built(folder: Path) -> dict[tuple[str, str, str], Any]:
    """What we build. Every place is in one of the files."""
    objects, found = read_manifests([folder])
    assert [item for item in found if item.code != "VSR481"] == []
    for item in objects:
        assert Path(item.span("metadata", "name").file).is_file()
        assert item.span("spec").line
    return by_name([item.body for item in objects])


def keys_apart(parts: list[str]) -> str:
    """The parts of a kustomization, at most one for each key."""
    seen: set[str] = set()
    kept = []
    for part in parts:
        keys = {line.partition(":")[0] for line in part.splitlines() if line[:1].isalpha()}
        if not keys & seen:
            seen |= keys
            kept.append(part)
    return "".join(kept)


@pytest.mark.subprocess
@examples(8)
@given(parts=st.permutations(PARTS).flatmap(lambda order: st.integers(1, 9).map(lambda count: list(order)[:count])))
def test_build_equals_that_of_kubectl(parts: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Any combination of transformers, patches and generators over a base."""
    folder = tmp_path_factory.mktemp("k")
    write(folder, BASE | {"dev/kustomization.yaml": "resources: [../base]\n" + keys_apart(parts)})
    assert built(folder / "dev") == kubectl(folder / "dev")


@pytest.mark.subprocess
def test_overlay_of_an_overlay_equals_that_of_kubectl(tmp_path: Path) -> None:
    """Names that change twice, and hashes that references follow."""
    write(
        tmp_path,
        BASE
        | {
            "dev/kustomization.yaml": "resources: [../base]\nnamePrefix: a-\nnamespace: one\ncommonLabels: {x: z}\n",
            "top/kustomization.yaml": "resources: [../dev]\n"
            "namePrefix: b-\nnamespace: two\nreplicas: [{name: web, count: 4}]\n",
        },
    )
    assert built(tmp_path / "top") == kubectl(tmp_path / "top")


@pytest.mark.subprocess
@pytest.mark.parametrize("operation", ["add", "replace", "remove"])
@pytest.mark.parametrize(
    "path", ["/metadata/annotations/x", "/spec/type", "/spec/ports/0/name", "/spec/a/b", "/spec/ports/9"]
)
def test_json_patch_of_a_missing_field_is_that_of_kubectl(tmp_path: Path, operation: str, path: str) -> None:
    """A replacement adds a missing field, annotations are always there, and all else is an error for both."""
    patch = f"patches:\n- target: {{kind: Service}}\n  patch: |-\n    - {{op: {operation}, path: {path}, value: v}}\n"
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"
    write(tmp_path, {"kustomization.yaml": f"resources: [s.yaml]\n{patch}", "s.yaml": service})
    try:
        expected = kubectl(tmp_path)
    except subprocess.CalledProcessError:
        assert "VSR482" in {item.code for item in read_manifests([tmp_path])[1]}
    else:
        assert built(tmp_path) == expected


def test_finding_points_to_the_file_that_wrote_the_value(tmp_path: Path) -> None:
    """A patch in a file, a patch in the kustomization, or the base."""
    write(
        tmp_path,
        {
            "base/kustomization.yaml": "resources: [d.yaml]\n",
            "base/d.yaml": m.SERVER,
            "dev/kustomization.yaml": "resources: [../base]\npatches:\n- path: p.yaml\n- patch: |-\n"
            "    {apiVersion: apps/v1, kind: Deployment, metadata: {name: big, namespace: prod}, spec: {copies: 1}}\n",
            "dev/p.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: big, namespace: prod}\nspec:\n"
            "  template:\n    spec:\n      containers:\n      - {name: vllm, imagePullPolizy: x}\n",
        },
    )
    result = call("verify", tmp_path / "dev", "--no-envoy")
    assert f"{tmp_path}/dev/p.yaml:8:" in result.stderr
    assert f"{tmp_path}/dev/kustomization.yaml:4:" in result.stderr


def test_file_beside_a_kustomization_is_checked() -> None:
    """And a note says that the kustomization does not include it."""
    result = call("verify", reference() / CASES / "16-kustomization-leaves-files" / "k", "--no-envoy")
    assert "does not include them: b.yaml" in result.stderr
    assert "b.yaml:4:8: error VSR441" in result.stderr


@pytest.mark.parametrize(("name", "part"), [("loopk", "cycle"), ("esck", "not in or below the folder")])
def test_build_that_kustomize_refuses_is_an_error(name: str, part: str) -> None:
    """A cycle, and files outside the folder."""
    result = call("verify", reference() / CASES / "18-streams" / name, "--no-envoy")
    assert result.exit_code == 1
    assert f"error VSR482 [M07]: {part}" in result.stderr or part in result.stderr
    assert "root:" not in result.stderr


def test_unused_patch_and_chart_are_named(tmp_path: Path) -> None:
    """They are not manifests by themselves."""
    write(
        tmp_path,
        {
            "kustomization.yaml": "resources: [d.yaml]\nhelmCharts: [{name: x}]\n",
            "d.yaml": m.SERVER,
            "gpu-patch.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: big, namespace: prod}\n"
            "spec: {replicas: 2}\n",
            "chart/Chart.yaml": "name: x\n",
            "chart/templates/a.yaml": "{{ x }}",
        },
    )
    result = call("verify", tmp_path, "--no-envoy")
    assert result.exit_code == 0
    assert result.stderr.count("VSR481") == 2
    assert "helmCharts not rendered" in result.stderr
    assert "gpu-patch.yaml" in result.stderr
