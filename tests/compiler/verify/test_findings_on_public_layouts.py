"""Kinds of findings that were false on public repositories, and faults of the same kinds that remain reported."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import support.verify_support as m
from support.common import call

APP = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
        - name: web
          image: example.org/web:1.2.3
          ports: [{containerPort: 8080, name: http}]
          env: [{name: WEB_PASSWORD, value: VALUE}]
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: admin, port: 81, targetPort: 9999}]
"""
ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: NAME, namespace: shop}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{name: web, port: 80}]}]
"""
EDGE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge, namespace: shop}
spec: {gatewayClassName: CLASS, listeners: [{name: http, port: 80, protocol: HTTP}]}
"""
VOLUME = """\
apiVersion: v1
kind: PersistentVolume
metadata: {name: PV_NAME}
spec:
  capacity: {storage: DISK_SIZE}
  accessModes: [ReadWriteOnce]
  csi: {driver: pd.csi.storage.gke.io, volumeHandle: x}
"""
DELEGATION = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: root, namespace: shop}
spec:
  parentRefs: [{name: edge}]
  rules: [{backendRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: "*", namespace: team}]}]
"""
PARENTS = "parentRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: root, namespace: shop}]"
CHILD = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: child, namespace: team}
spec:
  PARENTS
  hostnames: [a.example.com]
"""
GRANT = """\
apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: {name: shop, namespace: team}
spec:
  from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}]
  to: [{group: gateway.networking.k8s.io, kind: HTTPRoute}]
"""
CONSUMER = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: retries, namespace: consumer}
spec:
  parentRefs: [{group: "", kind: Service, name: web, namespace: shop}]
  rules: [{backendRefs: [{name: web, namespace: shop, port: 80}]}]
"""


def findings(folder: Path, files: dict[str, str]) -> dict[str, list[str]]:
    """The codes of the findings on a folder, by severity."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    report = json.loads(call("verify", folder, "--no-envoy", "--format", "json").stdout)
    found: dict[str, list[str]] = {"error": [], "warning": [], "note": []}
    for item in report["findings"]:
        found[item["severity"]].append(item["code"])
    return found


def test_alternatives_beside_each_other_are_no_duplicates(tmp_path: Path) -> None:
    """One Gateway for each control plane: three files that define it are one set each."""
    files = {f"gateway/{name}.yaml": EDGE.replace("CLASS", name) for name in ("gke", "istio", "kgateway")}
    found = findings(tmp_path, files)
    assert "VSR401" not in found["error"] + found["warning"]


def test_one_object_twice_in_a_file_is_an_error(tmp_path: Path) -> None:
    """No reader applies half of a file; a repeated Namespace is harmless."""
    assert findings(tmp_path, {"a.yaml": m.joined(APP, APP)})["error"].count("VSR401") == 1
    space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    assert "VSR401" not in findings(tmp_path, {"a.yaml": m.joined(space, space)})["error"]


def test_same_match_in_another_file_is_a_warning(tmp_path: Path) -> None:
    """The files may be examples; in one file it is an error."""
    one, two = (ROUTE.replace("NAME", name) for name in ("one", "two"))
    base = m.joined(EDGE, APP, SERVICE)
    found = findings(tmp_path / "apart", {"base.yaml": base, "one.yaml": one, "two.yaml": two})
    assert "VSR416" in found["warning"]
    assert "VSR416" in findings(tmp_path / "together", {"a.yaml": m.joined(base, one, two)})["error"]


def test_object_that_several_files_expect_is_set_up_elsewhere(tmp_path: Path) -> None:
    """The Gateway of three files is no typing error; in a single one it is one."""
    base = m.joined(EDGE.replace("name: edge", "name: edges"), APP, SERVICE)
    routes = {f"{name}.yaml": ROUTE.replace("NAME", name) for name in ("a", "b", "c")}
    assert "VSR402" not in findings(tmp_path / "3", {"base.yaml": base, **routes})["error"]
    assert "VSR402" in findings(tmp_path / "1", {"base.yaml": base, "a.yaml": routes["a.yaml"]})["error"]


def test_delegation_is_no_error(tmp_path: Path) -> None:
    """Routes of kgateway delegate to those of other namespaces without a grant."""
    assert "VSR403" not in findings(tmp_path, {"a.yaml": m.joined(EDGE, DELEGATION)})["error"]


@pytest.mark.parametrize(
    ("parents", "granted", "gateway_class", "warned"),
    [
        ("", False, "agentgateway", True),
        ("", True, "agentgateway", False),
        (PARENTS, False, "agentgateway", False),
        ("", False, "kgateway", False),
    ],
)
def test_adoption_of_a_route_without_parents_needs_a_grant(
    tmp_path: Path, parents, granted, gateway_class, warned
) -> None:
    """Of agentgateway: it asks the namespace of a child that names no parent itself. kgateway's Envoy does not."""
    root = DELEGATION.replace('"*"', "child")
    grant = GRANT if granted else ""
    found = findings(
        tmp_path,
        {
            "a.yaml": m.joined(
                *filter(None, [EDGE.replace("CLASS", gateway_class), root, CHILD.replace("PARENTS", parents), grant])
            )
        },
    )
    assert ("VSR403" in found["warning"]) == warned


def test_consumer_route_of_a_mesh_needs_no_grant(tmp_path: Path) -> None:
    """It changes requests to a Service for its own namespace; any other cross-namespace backend needs one."""
    base = [APP, SERVICE]
    assert "VSR403" not in findings(tmp_path, {"a.yaml": m.joined(*base, CONSUMER)})["error"]
    other = CONSUMER.replace('group: "", kind: Service, name: web, namespace: shop', "name: edge")
    assert "VSR403" in findings(tmp_path, {"a.yaml": m.joined(*base, other)})["error"]


@pytest.mark.parametrize("value", ["'true'", "'0'", "$(OTHER)", "API_KEY_VAL", "your-key", "xxxx"])
def test_switch_or_placeholder_is_no_secret(value: str, tmp_path: Path) -> None:
    """As in `ALLOW_EMPTY_PASSWORD: "true"`."""
    assert "VSR418" not in findings(tmp_path, {"a.yaml": APP.replace("VALUE", value)})["error"]


def test_password_in_plain_text_is_an_error(tmp_path: Path) -> None:
    """Whatever its strength."""
    assert "VSR418" in findings(tmp_path, {"a.yaml": APP.replace("VALUE", "admin")})["error"]


def test_upper_case_words_for_names_and_quantities_are_placeholders(tmp_path: Path) -> None:
    """A script fills them in: one note, no errors."""
    found = findings(tmp_path, {"a.yaml": VOLUME})
    assert found["error"] == []
    assert found["note"].count("VSR480") == 1
    assert "VSR444" in findings(tmp_path, {"a.yaml": VOLUME.replace("DISK_SIZE", "5 GiB")})["error"]


def test_placeholders_in_sources_of_a_kustomization_are_no_errors(tmp_path: Path) -> None:
    """`kustomize build | envsubst`: the source has a note."""
    app = APP.replace("spec:\n  selector", "spec:\n  replicas: ${REPLICAS}\n  selector", 1).replace("VALUE", "xxx")
    found = findings(tmp_path, {"kustomization.yaml": "resources: [app.yaml]\n", "app.yaml": app})
    assert found["error"] == []
    assert "VSR480" in found["note"]
    assert "VSR443" in findings(tmp_path, {"app.yaml": app.replace("${REPLICAS}", "two")})["error"]


def test_settings_of_tools_are_no_broken_objects(tmp_path: Path) -> None:
    """A Chart.yaml without templates, and an IstioOperator without a name."""
    files = {
        "Chart.yaml": "apiVersion: v2\nname: addons\nversion: 1.0.0\n",
        "istio.yaml": "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nmetadata: {}\nspec: {}\n",
        "app.yaml": APP.replace("VALUE", "xxx"),
    }
    assert findings(tmp_path, files)["error"] == []


def test_port_beside_a_declared_one_is_a_note(tmp_path: Path) -> None:
    """Programs listen on ports that nobody declares; a Service of which no port is declared is a warning."""
    app = APP.replace("VALUE", "xxx")
    assert "VSR405" not in findings(tmp_path, {"a.yaml": m.joined(app, SERVICE)})["warning"]
    wrong = SERVICE.replace("targetPort: 8080", "targetPort: 8081")
    assert "VSR405" in findings(tmp_path, {"a.yaml": m.joined(app, wrong)})["warning"]


def test_definition_beside_its_controller_is_a_note(tmp_path: Path) -> None:
    """Operators bring their CustomResourceDefinitions along; a folder of one node is a warning."""
    crd = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.org}
spec:
  group: example.org
  scope: Namespaced
  names: {kind: Thing, plural: things}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
"""
    assert "VSR423" not in findings(tmp_path, {"a.yaml": m.joined(APP.replace("VALUE", "xxx"), crd)})["warning"]
    volume = VOLUME.replace("PV_NAME", "data").replace("DISK_SIZE", "5Gi")
    volume = volume.replace("csi: {driver: pd.csi.storage.gke.io, volumeHandle: x}", "hostPath: {path: /data}")
    assert "VSR423" in findings(tmp_path, {"a.yaml": m.joined(APP.replace("VALUE", "xxx"), volume)})["warning"]


def test_picker_with_flags_from_before_1_0_names_its_pool() -> None:
    """`-poolName`, in an image whose name does not tell its release."""
    pool = m.joined(*m.POOLED)
    assert "--pool-name" in pool
    pool = re.sub("image: [^,} ]*", "image: example.org/picker:main", pool)
    found = m.found(pool.replace("--pool-name", "-poolName"))
    assert not [item for item in found if "has no -" in item.message]
