"""An error needs evidence that its fault is one: names, files and folders tell what belongs together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import support.verify_support as m
from support.common import call
from support.judged_layouts import named
from vsr_compiler.verify.replaced_words import is_replaced

INGRESS = """\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop}
spec:
  rules: [{http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: NAME, port: PORT}}}]}}]
"""
ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: agent}\n"
ROLE = (
    "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: agent}\n"
    "rules: [{apiGroups: [''], resources: [pods], verbs: [list]}]\n"
)
BINDING = """\
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: agent}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: agent}
subjects: [{kind: ServiceAccount, name: agent, namespace: agents}]
"""
MESH_ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: split, namespace: prod}
spec:
  parentRefs: [{group: "", kind: Service, name: big}]
  rules: [{backendRefs: [{name: big, port: 80}, {name: next, namespace: canary, port: 80}]}]
"""


def found(folder: Path, files: dict[str, str], *arguments: str) -> dict[str, list[str]]:
    """The codes of the findings on a folder, by severity."""
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    report = json.loads(call("verify", folder, "--no-envoy", "--format", "json", *arguments).stdout)
    codes: dict[str, list[str]] = {"error": [], "warning": [], "note": []}
    for item in report["findings"]:
        codes[item["severity"]].append(item["code"])
    return codes


def ingress(name: str, port: str = "{number: 80}") -> str:
    """An Ingress to a Service."""
    return INGRESS.replace("NAME", name).replace("PORT", port)


def test_route_of_a_mesh_needs_no_grant(tmp_path: Path) -> None:
    """GEP-1294: it adds to Services and exposes nothing. A route that a Gateway has as well needs one."""
    other = m.SERVICE.replace("name: big, namespace: prod", "name: next, namespace: canary")
    base = m.joined(m.GATEWAY, m.SERVICE, m.SERVER, other)
    assert "VSR403" not in found(tmp_path / "mesh", {"a.yaml": m.joined(base, MESH_ROUTE)})["error"]
    both = MESH_ROUTE.replace("parentRefs: [", "parentRefs: [{name: edge}, ")
    assert "VSR403" in found(tmp_path / "both", {"a.yaml": m.joined(base, both)})["error"]


def test_action_of_an_ingress_is_no_service(tmp_path: Path) -> None:
    """`use-annotation` of AWS: the name is that of an annotation, whether a Service has it or not."""
    for name in ("shop", "action1"):
        text = m.joined(named("shop"), ingress(name, "{name: use-annotation}"))
        assert found(tmp_path / name, {"a.yaml": text})["error"] == []
    assert (
        "VSR402" in found(tmp_path / "b", {"a.yaml": m.joined(named("shop"), ingress("shop", "{name: web}"))})["error"]
    )


def test_settings_with_a_version_number_are_no_objects(tmp_path: Path) -> None:
    """Provisioning of Grafana, schemas of charts; an object that lacks its kind is an error."""
    files = {
        "a.yaml": named("shop"),
        "grafana.yaml": "apiVersion: 1\ndatasources: []\n",
        "s.yaml": "apiVersion: str()\n",
    }
    assert found(tmp_path, files)["error"] == []
    assert found(tmp_path, {"b.yaml": "apiVersion: v1\nmetadata: {name: a}\n"})["error"] == ["VSR431"]


def test_test_data_is_named_and_not_checked(tmp_path: Path) -> None:
    """Inputs of tests are wrong on purpose. Who names the folder gets its findings."""
    broken = named("web").replace("replicas: 1", "replicas: one")
    codes = found(tmp_path, {"a.yaml": named("shop"), "pkg/testdata/web.yaml": broken})
    assert codes["error"] == []
    assert "VSR481" in codes["note"]
    assert found(tmp_path / "pkg" / "testdata", {})["error"] == ["VSR443"]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("REPLACEME-canary", True),
        ("ROLLOUT_NAME-active", True),
        ("NAMESPACE", True),
        ("$NAME", True),
        ("$(NAME)", True),
        ("app-$$name$$", True),
        ("{name}", True),
        ("@NAME@", True),
        ("to be replaced by the test", True),
        ("whoami-HTTPS", False),
        ("TCP-app-1", False),
        ("Web_App", False),
        ("web", False),
    ],
)
def test_words_that_somebody_replaces(name: str, *, expected: bool) -> None:
    """They are no mistakes; abbreviations in names are."""
    assert is_replaced(name) == expected


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("metadata: {name: web", "metadata: {name: REPLACE_ME"),
        ("metadata: {name: web", "metadata: {name: 'web-{TENANT}'"),
        ("replicas: 1", "replicas: REPLICAS"),
        ("replicas: 1", "replicas: $REPLICAS"),
        ("metadata: {name: web}", "metadata: {name: web, labels: {team: '<your team, if any>'}}"),
    ],
)
def test_value_to_be_replaced_is_no_error(tmp_path: Path, old: str, new: str) -> None:
    """The file has a note."""
    codes = found(tmp_path, {"a.yaml": named("web").replace(old, new)})
    assert codes["error"] == []
    assert "VSR480" in codes["note"]


def test_object_without_a_namespace_may_land_where_a_reference_leads(tmp_path: Path) -> None:
    """`kubectl apply -n agents`: a ClusterRoleBinding must write the namespace, a ServiceAccount need not."""
    assert "VSR402" not in found(tmp_path / "a", {"a.yaml": m.joined(ACCOUNT, ROLE, BINDING)})["error"]
    placed = ACCOUNT.replace("name: agent", "name: agent, namespace: other")
    assert "VSR402" in found(tmp_path / "b", {"a.yaml": m.joined(placed, ROLE, BINDING)})["error"]


def test_file_that_contains_what_it_refers_to_is_complete(tmp_path: Path) -> None:
    """A further object that lacks is an error; one of which there is no other is a warning."""
    shop = m.joined(named("shop"), ingress("shop"))
    second = ingress("payments").replace("{name: shop}", "{name: payments}")
    assert "VSR402" in found(tmp_path / "complete", {"a.yaml": m.joined(shop, second)})["error"]
    pods = named("shop").partition("---")[0]
    codes = found(tmp_path / "elsewhere", {"a.yaml": m.joined(pods, ingress("payments"))})
    assert "VSR402" not in codes["error"]
    assert "VSR402" in codes["warning"]


@pytest.mark.parametrize(("name", "is_error"), [("payment", True), ("payments-2", False), ("payments-db", False)])
def test_misspelt_name_is_an_error(tmp_path: Path, name: str, *, is_error: bool) -> None:
    """The next number, or a further word, is another object."""
    codes = found(tmp_path, {"a.yaml": named("payments"), "b.yaml": ingress(name)})
    assert ("VSR402" in codes["error"]) == is_error
    assert "VSR402" in codes["error"] + codes["warning"]


def test_examples_that_have_nothing_in_common_do_not_conflict(tmp_path: Path) -> None:
    """Two examples with the same match at one Gateway; below another folder it is a conflict."""
    route = m.joined(m.ROUTE, m.SERVICE, m.SERVER)
    other = route.replace("name: big", "name: small").replace("app: big", "app: small")
    for root, conflicts in (("examples", False), ("apps", True)):
        files = {"gateway.yaml": m.GATEWAY, f"{root}/one/a.yaml": route, f"{root}/two/a.yaml": other}
        codes = found(tmp_path / root, files)
        assert ("VSR416" in codes["error"] + codes["warning"]) == conflicts


def test_examples_that_refer_to_each_other_are_one_set(tmp_path: Path) -> None:
    """A route in one folder, its Service without the port in the other."""
    shop = named("shop").replace("port: 80", "port: 8080")
    files = {"examples/app/a.yaml": shop, "examples/edge/b.yaml": ingress("shop"), "examples/x/c.yaml": named("x")}
    assert "VSR402" in found(tmp_path, files)["error"]


def test_class_beside_its_controller_is_no_warning(tmp_path: Path) -> None:
    """The manifest of a controller brings its GatewayClass along; one of an application should not."""
    gateway_class = (
        "apiVersion: gateway.networking.k8s.io/v1\nkind: GatewayClass\nmetadata: {name: own}\n"
        "spec: {controllerName: example.org/own}\n"
    )
    assert "VSR423" not in found(tmp_path / "a", {"a.yaml": m.joined(ROLE, named("x"), gateway_class)})["warning"]
    assert "VSR423" in found(tmp_path / "b", {"a.yaml": m.joined(named("x"), gateway_class)})["warning"]


def test_namespaces_are_missed_where_others_of_the_file_or_folder_write_one(tmp_path: Path) -> None:
    """Files of another folder say nothing."""
    placed = named("shop").replace("{name: shop", "{name: shop, namespace: shop")
    apart = {"shop/a.yaml": placed, "more/a.yaml": placed.replace("name: shop", "name: more"), "x/b.yaml": named("x")}
    assert "VSR420" not in found(tmp_path / "apart", apart)["warning"]
    assert "VSR420" in found(tmp_path / "beside", {"a.yaml": m.joined(placed, named("x"))})["warning"]


@pytest.mark.parametrize(
    ("value", "secret"), [("dummy", False), ("not-needed", False), ("EMPTY", False), ("s3cr3t", True)]
)
def test_key_that_a_server_does_not_look_at_is_no_secret(tmp_path: Path, value: str, *, secret: bool) -> None:
    """Clients of model servers need some key, and any one does."""
    text = named("web").replace(
        "        ports:", f"        env: [{{name: OPENAI_API_KEY, value: {value}}}]\n        ports:"
    )
    assert ("VSR418" in found(tmp_path, {"a.yaml": text})["error"]) == secret
