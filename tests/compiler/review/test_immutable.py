"""The changes that an API server refuses, by kind."""

from __future__ import annotations

from typing import Any

import pytest

from support.common import reference
from support.gitops_support import bodies
from vsr_compiler.manifests.immutable import IMMUTABLE, Remedy, refusals

Body = dict[str, Any]


def body(api: str, kind: str, **fields: Any) -> Body:
    """An object."""
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "x", "namespace": "x"}, **fields}


def refused(old: Body, new: Body) -> list[str]:
    """The fields that are refused."""
    return [found.path for found in refusals(old, new)]


SELECTOR = {"matchLabels": {"app": "x"}}
OTHER = {"matchLabels": {"app": "y"}}
CASES: list[tuple[str, str, Body, Body, list[str]]] = [
    ("apps/v1", "Deployment", {"selector": SELECTOR, "replicas": 1}, {"selector": SELECTOR, "replicas": 2}, []),
    ("apps/v1", "Deployment", {"selector": SELECTOR}, {"selector": OTHER}, ["spec.selector"]),
    ("apps/v1", "Deployment", {"selector": SELECTOR}, {}, ["spec.selector"]),
    ("apps/v1", "DaemonSet", {"selector": SELECTOR}, {"selector": OTHER}, ["spec.selector"]),
    ("apps/v1", "StatefulSet", {"serviceName": "a"}, {"serviceName": "b"}, ["spec.serviceName"]),
    ("apps/v1", "StatefulSet", {"volumeClaimTemplates": [1]}, {"replicas": 3}, ["spec.volumeClaimTemplates"]),
    ("apps/v1", "StatefulSet", {"template": {}}, {"template": {"a": 1}, "replicas": 3}, []),
    ("apps/v1", "StatefulSet", {}, {"podManagementPolicy": "OrderedReady"}, []),
    ("batch/v1", "Job", {"template": {"a": 1}}, {"template": {"a": 2}}, ["spec.template"]),
    ("batch/v1", "Job", {"parallelism": 1}, {"parallelism": 2}, []),
    ("batch/v1", "Job", {"completions": 1}, {"completions": 2}, ["spec.completions"]),
    ("batch/v1", "CronJob", {"jobTemplate": {"a": 1}}, {"jobTemplate": {"a": 2}}, []),
    ("v1", "Service", {"clusterIP": "None"}, {}, ["spec.clusterIP"]),
    ("v1", "Service", {}, {"clusterIP": "None"}, ["spec.clusterIP"]),
    ("v1", "Service", {"clusterIP": "10.0.0.1"}, {}, []),
    ("v1", "Service", {"clusterIP": "10.0.0.1"}, {"clusterIP": "10.0.0.2"}, ["spec.clusterIP"]),
    ("v1", "Service", {"clusterIP": "None"}, {"type": "ExternalName"}, []),
    ("v1", "Service", {"ports": [1], "selector": {"a": "b"}}, {"ports": [2], "selector": {"a": "c"}}, []),
    ("v1", "Service", {"ipFamilies": ["IPv4"]}, {"ipFamilies": ["IPv6", "IPv4"]}, ["spec.ipFamilies[0]"]),
    ("v1", "Service", {"ipFamilies": ["IPv4"]}, {"ipFamilies": ["IPv4", "IPv6"]}, []),
    ("v1", "PersistentVolumeClaim", {"storageClassName": "a"}, {"storageClassName": "b"}, ["spec.storageClassName"]),
    ("v1", "PersistentVolumeClaim", {}, {"volumeMode": "Filesystem"}, []),
    ("v1", "PersistentVolumeClaim", {"dataSource": {"name": "a"}}, {}, ["spec.dataSource"]),
    ("v1", "Pod", {"containers": [{"image": "a"}]}, {"containers": [{"image": "b"}]}, []),
    ("v1", "Pod", {"containers": [{"args": ["a"]}]}, {"containers": [{"args": ["b"]}]}, ["spec.containers"]),
    ("v1", "Pod", {"nodeName": "a"}, {"nodeName": "b"}, ["spec.nodeName"]),
    ("networking.k8s.io/v1", "NetworkPolicy", {"podSelector": {}}, {"podSelector": SELECTOR}, []),
    ("policy/v1", "PodDisruptionBudget", {"selector": SELECTOR}, {"selector": OTHER}, []),
    (
        "gateway.networking.k8s.io/v1",
        "GatewayClass",
        {"controllerName": "a"},
        {"controllerName": "b"},
        ["spec.controllerName"],
    ),
    ("gateway.networking.k8s.io/v1", "Gateway", {"gatewayClassName": "a"}, {"gatewayClassName": "b"}, []),
]


@pytest.mark.parametrize(("api", "kind", "old", "new", "expected"), CASES)
def test_fields_that_never_change_are_known_by_kind(
    api: str, kind: str, old: Body, new: Body, expected: list[str]
) -> None:
    """And every other field may change."""
    assert refused(body(api, kind, spec=old), body(api, kind, spec=new)) == expected


def test_content_that_is_not_in_the_spec_is_known_too() -> None:
    """Immutable ConfigMaps and Secrets, types of Secrets, the role of a binding, parameters of storage."""
    plain, fixed = body("v1", "ConfigMap", data={"a": "1"}), body("v1", "ConfigMap", data={"a": "1"}, immutable=True)
    assert refused(plain, {**plain, "data": {"a": "2"}}) == []
    assert refused(plain, fixed) == []
    assert refused(fixed, {**fixed, "data": {"a": "2"}}) == ["data"]
    assert refused(fixed, plain) == ["immutable"]
    secret = body("v1", "Secret", type="Opaque")
    assert refused(secret, body("v1", "Secret")) == []
    assert refused(secret, {**secret, "type": "kubernetes.io/tls"}) == ["type"]
    api = "rbac.authorization.k8s.io/v1"
    binding = body(api, "RoleBinding", roleRef={"name": "a"}, subjects=[1])
    assert refused(binding, {**binding, "subjects": [2]}) == []
    assert refused(binding, {**binding, "roleRef": {"name": "b"}}) == ["roleRef"]
    storage = body("storage.k8s.io/v1", "StorageClass", provisioner="a")
    assert refused(storage, {**storage, "reclaimPolicy": "Retain"}) == ["reclaimPolicy"]


def test_every_transition_rule_of_a_known_definition_is_in_the_table() -> None:
    """A definition that compares with `oldSelf` refuses changes."""
    kinds = set()
    for path in sorted((reference() / "crds").glob("*/**/*.yaml")):
        text = path.read_text(encoding="utf-8")
        if "oldSelf" in text and "x-k8s.io" not in path.name:
            kinds |= {(document["spec"]["group"], document["spec"]["names"]["kind"]) for document in bodies(text)}
    assert kinds == {("gateway.networking.k8s.io", "GatewayClass")}
    assert kinds <= IMMUTABLE.keys()


@pytest.mark.parametrize("odd", [None, 3, "x", [], {"selector": 3, "containers": "x", "resources": {"requests": []}}])
def test_objects_of_any_form_do_no_harm(odd: Any) -> None:
    """An earlier output is anybody's."""
    for group, kind in IMMUTABLE:
        api = f"{group}/v1" if group else "v1"
        old, new = body(api, kind, spec=odd, data=odd), body(api, kind, spec={"a": 1}, data={"a": 1})
        for found in (*refusals(old, new), *refusals(new, old), *refusals({"metadata": odd}, new)):
            assert found.remedy in Remedy
