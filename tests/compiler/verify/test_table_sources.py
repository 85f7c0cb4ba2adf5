"""The tables of references and of created objects, held against the definitions of the projects."""

from __future__ import annotations

from typing import Any

import pytest
from ruamel.yaml import YAML

from vsr_compiler.diagnostics import Span
from vsr_compiler.verify.created_objects import created_objects
from vsr_compiler.verify.creators import CREATORS
from vsr_compiler.verify.manifest import Manifest
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.reference_table import POD_ROWS, ROWS, Form, Row
from vsr_compiler.verify.schema import builtin_kinds, bundled
from vsr_compiler.verify.schema.node import Node

WITHOUT_DEFINITION = {
    # No release in the bundle has them: an experimental kind of Gateway API 1.3, a kind of the Inference Extension
    # before 1.0, and the definition of an add-on.
    "XListenerSet",
    "InferenceModel",
    "VerticalPodAutoscaler",
}
OLD_FIELDS = {("BackendTLSPolicy", "spec.targetRef")}
"""Fields of releases before those in the bundle: Gateway API 1.0 (v1alpha2)."""
CASES = [(*key, row, "") for key, rows in ROWS.items() for row in rows]
CASES += [("", "Pod", row, "spec.") for row in POD_ROWS]
FIELDS = [
    (creator.group, kind, path)
    for creator in CREATORS
    for kind in creator.kinds.split()
    for path in (*creator.fields, *creator.bases)
]


def schemas(group: str, kind: str) -> list[Node]:
    """The schemas of a kind in all releases at hand."""
    found = [
        version.node
        for document in bundled.documents()
        if document.keys == (group, kind)
        for version in document.versions[group, kind].values()
    ]
    built_in = [builtin_kinds.schema_of(group, version, kind) for version in ("v1", "v2", "v1beta1")]
    return found + [node for node in built_in if node is not None and ("." not in group or ".k8s.io" in group)]


def at(node: Node | None, path: str) -> Node | None:
    """The schema at a path."""
    for part in path.split("."):
        node = None if node is None else node.child(part.removesuffix("[]"))
        node = node.items if node is not None and part.endswith("[]") else node
    return node


@pytest.mark.parametrize(
    ("group", "kind", "row", "prefix"), CASES, ids=[f"{kind} {row.path} {row.name}" for _, kind, row, _ in CASES]
)
def test_field_of_the_table_of_references_exists(group: str, kind: str, row: Row, prefix: str) -> None:
    """In some release, with the name and the keys that the row names."""
    known = schemas(group, kind)
    if kind in WITHOUT_DEFINITION or (kind, row.path) in OLD_FIELDS:
        assert not any(at(node, prefix + row.path) for node in known), "remove it from the exceptions"
        return
    found = [field for node in known if (field := at(node, prefix + row.path)) is not None]
    assert found
    if row.form is Form.OBJECT and any(field.raw.get("type") == "object" for field in found):
        assert any(field.child(row.name) for field in found)
    if row.keys:
        assert any(at(field, row.keys) for field in found)


@pytest.mark.parametrize(("group", "kind", "path"), FIELDS)
def test_field_with_the_name_of_a_created_object_exists(group: str, kind: str, path: str) -> None:
    """Where a definition is at hand: KubeRay and others are named with their source only."""
    known = schemas(group, kind)
    assert not known or any(at(node, path) for node in known)


def test_every_row_of_created_objects_has_a_source() -> None:
    """A file of the project, or its documentation."""
    assert all(creator.source for creator in CREATORS)
    pairs = [(creator.group, kind) for creator in CREATORS for kind in creator.kinds.split()]
    assert len(pairs) == len(set(pairs))


CREATED = (
    ("flagger.app/v1beta1", "Canary", "targetRef: {kind: Deployment, name: web}", "Service", "web-primary"),
    ("flagger.app/v1beta1", "Canary", "service: {name: front}", "Service", "front-canary"),
    ("jobset.x-k8s.io/v1alpha2", "JobSet", "network: {subdomain: net}", "Service", "net"),
    ("ray.io/v1", "RayService", "serveService: {metadata: {name: serve}}", "Service", "serve"),
    ("ray.io/v1", "RayCluster", "headGroupSpec: {}", "Service", "owner-head-svc"),
    (
        "secrets-store.csi.x-k8s.io/v1",
        "SecretProviderClass",
        "secretObjects: [{secretName: a}, {secretName: b}]",
        "Secret",
        "b",
    ),
    ("trust.cert-manager.io/v1alpha1", "Bundle", "sources: []", "ConfigMap", "owner"),
    ("cert-manager.io/v1", "ClusterIssuer", "acme: {privateKeySecretRef: {name: key}}", "Secret", "key"),
    ("external-secrets.io/v1", "ClusterExternalSecret", "externalSecretName: pull", "Secret", "pull"),
    ("aigateway.envoyproxy.io/v1beta1", "AIGatewayRoute", "rules: []", "HTTPRouteFilter", "ai-eg-host-rewrite-owner"),
    ("database.example.org/v1", "XPostgres", "writeConnectionSecretToRef: {name: conn}", "Secret", "conn"),
    ("keda.sh/v1alpha1", "ScaledObject", "scaleTargetRef: {name: x}", "HorizontalPodAutoscaler", "keda-hpa-owner"),
)


def owned(api: str, kind: str, spec: str) -> Any:
    """What the controller of one object in the namespace `shop` creates."""
    body = YAML(typ="safe").load(f"{{apiVersion: {api}, kind: {kind}, metadata: {{name: owner}}, spec: {{{spec}}}}}")
    return created_objects(ManifestIndex([Manifest(body, lambda _path, _key: Span("a.yaml", 1, 1), "shop")]))


@pytest.mark.parametrize(("api", "kind", "spec", "created", "name"), CREATED, ids=[item[1] for item in CREATED])
def test_object_that_a_controller_creates_is_known(api: str, kind: str, spec: str, created: str, name: str) -> None:
    """By its name; another object is not."""
    assert owned(api, kind, spec).creator_of(created, "shop", name) is not None
    assert owned(api, kind, spec).creator_of(created, "shop", "another") is None


def test_sealed_secret_makes_a_secret_of_its_own_name_only() -> None:
    """The name in its template counts for nothing."""
    known = owned("bitnami.com/v1alpha1", "SealedSecret", "template: {metadata: {name: other}}")
    assert known.creator_of("Secret", "shop", "owner") is not None
    assert known.creator_of("Secret", "shop", "other") is None
