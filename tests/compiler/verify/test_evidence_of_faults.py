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
    shop = m.joined(
        named("shop"), named("cart"), ingress("shop"), ingress("cart").replace("{name: shop}", "{name: cart}")
    )
    second = ingress("payments").replace("{name: shop}", "{name: payments}")
    assert "VSR402" in found(tmp_path / "complete", {"a.yaml": m.joined(shop, second)})["error"]
    pods = named("shop").partition("---")[0]
    codes = found(tmp_path / "elsewhere", {"a.yaml": m.joined(pods, ingress("payments"))})
    assert "VSR402" not in codes["error"]
    assert "VSR402" in codes["warning"]


@pytest.mark.parametrize(
    ("name", "is_error"), [("payment", True), ("payments-2", False), ("payments-db", False), ("paymentstcp", False)]
)
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


ENCRYPTED = """\
apiVersion: v1
kind: Secret
metadata: {name: web}
data:
  key: ENC[AES256_GCM,data:paxkHhaZ,iv:abc,tag:def,type:str]
"""
SOPS = "sops: {mac: 'ENC[AES256_GCM,data:abc,type:str]', lastmodified: '2026-01-01T00:00:00Z', version: 3.9.0}\n"


def test_object_that_is_encrypted_is_no_fault(tmp_path: Path) -> None:
    """SOPS removes its field and decrypts the values. Without that field the values are wrong, and it is unknown."""
    codes = found(tmp_path, {"a.yaml": m.joined(named("web"), ENCRYPTED + SOPS)})
    assert codes["error"] == []
    assert "VSR418" not in codes["warning"]
    assert "VSR441" in found(tmp_path, {"a.yaml": ENCRYPTED + "sops: {}\n"})["error"]


def test_template_of_format_is_no_broken_file(tmp_path: Path) -> None:
    """`{name}` in YAML is a mapping, and `{name}-web` a syntax error; both are a note. Other broken YAML is not."""
    pod = named("web").replace("name: web", "name: {name}", 1)
    assert found(tmp_path / "a", {"a.yaml": pod, "b.yaml": named("b")})["error"] == []
    text = named("web").replace("metadata: {name: web}", "metadata:\n  name: {name}-web", 1)
    codes = found(tmp_path / "b", {"a.yaml": text, "b.yaml": named("b")})
    assert codes["error"] == []
    assert "VSR480" in codes["note"]
    assert (
        "VSR002" in found(tmp_path / "c", {"a.yaml": named("web").replace("{name: web", "{name: web: x", 1)})["error"]
    )


def test_settings_of_kustomize_plugins_are_no_objects(tmp_path: Path) -> None:
    """Transformers with `apiVersion: builtin`, which a kustomization names."""
    plugin = "apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: a}\npatch: '[]'\n"
    assert found(tmp_path, {"a.yaml": named("web"), "b.yaml": plugin})["error"] == []


def test_patch_that_no_kustomization_applies_is_no_broken_object(tmp_path: Path) -> None:
    """Kubebuilder's layout has patches that wait for a webhook."""
    patch = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a.b}\n"
    files = {"config/kustomization.yaml": "resources: [a.yaml]\n", "config/a.yaml": named("web")}
    codes = found(tmp_path, files | {"config/patches/cainjection.yaml": patch})
    assert codes["error"] == []
    assert "VSR481" in codes["note"]
    assert "VSR442" in found(tmp_path, {"config/crd.yaml": patch})["error"]


def test_effects_of_a_missing_resource_are_not_reported(tmp_path: Path) -> None:
    """One error says which file lacks, and none that its patches have no target, in overlays either."""
    patch = "patches: [{patch: '{apiVersion: apps/v1, kind: Deployment, metadata: {name: gone}}'}]\n"
    files = {
        "base/kustomization.yaml": f"resources: [a.yaml, generated.yaml]\n{patch}",
        "base/a.yaml": named("web"),
        "overlay/kustomization.yaml": f"resources: [../base]\n{patch}",
    }
    assert set(found(tmp_path / "missing", files)["error"]) == {"VSR001"}
    files["base/kustomization.yaml"] = f"resources: [a.yaml]\n{patch}"
    assert found(tmp_path / "whole", files)["error"].count("VSR482") >= 1


def test_file_of_another_folder_in_the_repository_is_a_warning(tmp_path: Path) -> None:
    """Kustomize reads it with a flag; a file outside of what is checked is an error."""
    files = {"render/a.yaml": named("web"), "variant/kustomization.yaml": "resources: [../render/a.yaml]\n"}
    codes = found(tmp_path, files)
    assert "VSR482" in codes["warning"]
    assert codes["error"] == []
    assert "VSR482" in found(tmp_path / "variant", {})["error"]


def test_core_is_the_group_without_a_name(tmp_path: Path) -> None:
    """Traefik and Kong take it."""
    policy = """\
apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: {name: web}
spec:
  targetRefs: [{group: core, kind: Service, name: NAME}]
  validation: {wellKnownCACertificates: System, hostname: web.example.com}
"""
    assert found(tmp_path / "a", {"a.yaml": m.joined(named("web"), policy.replace("NAME", "web"))})["error"] == []
    codes = found(tmp_path / "b", {"a.yaml": m.joined(named("web"), policy.replace("NAME", "wep"))})
    assert "VSR402" in codes["error"]


def test_route_without_a_namespace_may_land_beside_its_service(tmp_path: Path) -> None:
    """`targetNamespace` of Flux or `kubectl apply -n`: with `-n`, or a written namespace, it needs a grant."""
    service = m.SERVICE.replace("namespace: prod", "namespace: flux-system")
    route = m.ROUTE.replace("{name: big, namespace: prod}", "{name: hook}")
    route = route.replace("name: big, port", "name: big, namespace: flux-system, port")
    files = {"a.yaml": m.joined(m.GATEWAY, service, m.SERVER), "b/route.yaml": route}
    assert "VSR403" not in found(tmp_path / "a", files)["error"]
    assert "VSR403" in found(tmp_path / "b", files, "-n", "prod")["error"]


def test_object_of_the_release_before_is_a_note(tmp_path: Path) -> None:
    """Nothing says which release the cluster has. What no release has is an error, also beside it."""
    session = "    sessionPersistence: {type: Cookie, sessionName: a}\n"
    text = m.joined(m.GATEWAY, m.SERVICE, m.SERVER, m.ROUTE + session)
    codes = found(tmp_path / "a", {"a.yaml": text})
    assert codes["error"] == []
    assert "VSR487" in codes["note"]
    both = text.replace("backendRefs:", "backendRef: []\n    backendRefs:")
    assert found(tmp_path / "b", {"a.yaml": both})["error"] == ["VSR441"]
    assert "VSR441" in found(tmp_path / "c", {"a.yaml": text}, "--release", "gateway-api=1.7.0")["error"]


def test_version_that_no_known_release_serves_is_a_warning(tmp_path: Path) -> None:
    """An older release may have had it; of definitions in the repository it is an error."""
    release = (
        "apiVersion: helm.toolkit.fluxcd.io/v2beta1\nkind: HelmRelease\nmetadata: {name: a, namespace: a}\nspec: {}\n"
    )
    codes = found(tmp_path, {"a.yaml": release})
    assert "VSR449" in codes["warning"]
    assert codes["error"] == []


def test_version_that_many_objects_have_is_one_warning(tmp_path: Path) -> None:
    """A repository for an older release needs no finding for each object."""
    text = (
        "apiVersion: helm.toolkit.fluxcd.io/v2beta1\nkind: HelmRelease\nmetadata: {name: A, namespace: a}\nspec: {}\n"
    )
    files = {f"{name}.yaml": text.replace("A", name) for name in "abc"}
    assert found(tmp_path, files)["warning"].count("VSR449") == 1


def test_encrypted_object_of_a_kustomization_is_no_fault(tmp_path: Path) -> None:
    """Flux decrypts what kustomize has built."""
    assert found(tmp_path, {"kustomization.yaml": "resources: [a.yaml]\n", "a.yaml": ENCRYPTED + SOPS})["error"] == []


def test_documents_of_another_program_have_a_kind_as_well(tmp_path: Path) -> None:
    """Without apiVersion and spec, and of a kind that Kubernetes has not; a Service without apiVersion is an error."""
    agent = "kind: Agent\nmetadata: {name: a}\ncommands: {}\n"
    assert found(tmp_path, {"a.yaml": agent, "b.yaml": named("web")})["error"] == []
    for kind in ("kind: Service\nmetadata: {name: a}\n", "kind: Thing\nmetadata: {name: a}\nspec: {}\n"):
        assert "VSR431" in found(tmp_path, {"a.yaml": kind})["error"]


@pytest.mark.parametrize("line", ["image: {images[web]}", "image: web\n{extra}", "image: web\n%{ if a }b: c%{ endif }"])
def test_template_of_another_language_is_a_note(tmp_path: Path, line: str) -> None:
    """Python's format with an index, a line of its own, Terraform."""
    text = f"apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\nspec:\n  containers:\n  - name: a\n    {line}\n"
    codes = found(tmp_path, {"a.yaml": text, "b.yaml": named("web")})
    assert codes["error"] == []
    assert "VSR480" in codes["note"]


def test_fault_of_a_base_is_reported_once(tmp_path: Path) -> None:
    """Not once more for the namespace of each overlay."""
    secret = named("web").replace("        ports:", "        env: [{name: API_KEY, value: s3cr3t}]\n        ports:")
    files = {"base/kustomization.yaml": "resources: [a.yaml]\n", "base/a.yaml": secret}
    for name in ("dev", "prod"):
        files[f"{name}/kustomization.yaml"] = f"namespace: {name}\nresources: [../base]\n"
    assert found(tmp_path, files)["error"] == ["VSR418"]
