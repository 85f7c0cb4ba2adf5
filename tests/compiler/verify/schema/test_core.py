"""Built-in kinds of Kubernetes are checked by the models of its Python client."""

from __future__ import annotations

from typing import Any

import pytest

import support.schema_support as s
import support.verify_support as m
from vsr_compiler.diagnostics import Severity
from vsr_compiler.verify.schema import builtin_kinds, patterns

SERVICE = m.SERVICE
OTHERS = """\
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: a}
spec: {minAvailable: 1, selector: {matchLabels: {a: b}}}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: a}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: a}
  maxReplicas: 3
  metrics: [{type: Pods, pods: {metric: {name: x}, target: {type: AverageValue, averageValue: 5}}}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: a}
spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {}}], ports: [{port: 80}, {port: http}]}]}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: a}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 50Gi}}}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "system:a"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:x"}
subjects: [{kind: ServiceAccount, name: a, namespace: b}]
---
apiVersion: v1
kind: Secret
metadata: {name: a}
data: {key: c2VjcmV0}
---
apiVersion: v1
kind: Event
metadata: {name: a}
involvedObject: {kind: Pod, name: a}
---
apiVersion: v1
kind: Namespace
metadata: {name: prod}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {a: {
    type: object, properties: {b: {type: array, items: {type: string}}}}}}}}]
"""


def test_valid_objects_of_built_in_kinds_are_accepted() -> None:
    """Quantities as numbers and strings, ports by name and number, recursive kinds."""
    text = m.joined(SERVICE, m.SERVER, m.EPP_RIGHTS, m.CONFIG, OTHERS)
    cpu = m.EPP.replace("args:", "resources: {limits: {cpu: 2, memory: 1Gi}, requests: {cpu: 0.5}}\n        args:")
    assert s.found(m.joined(text, cpu)) == []


@pytest.mark.parametrize(
    ("text", "path", "value", "code", "where"),
    [
        (SERVICE, "spec/ports/0/tragetPort", 8000, "VSR441", "spec.ports[0].tragetPort"),
        (SERVICE, "spec/ports/0/port", "80", "VSR443", "spec.ports[0].port"),
        (SERVICE, "spec/ports/0/port", 99999, "VSR444", "spec.ports[0].port"),
        (SERVICE, "spec/ports/0/port", s.GONE, "VSR442", "spec.ports[0]"),
        (SERVICE, "spec/ports/0/protocol", "HTTP", "VSR444", "spec.ports[0].protocol"),
        (SERVICE, "spec/ports/1", {"name": "b", "port": 80}, "VSR445", "spec.ports[1]"),
        (SERVICE, "spec/type", "Cluster", "VSR444", "spec.type"),
        (SERVICE, "spec/selector/app", 5, "VSR443", "spec.selector.app"),
        (SERVICE, "metadata/name", "8big", "VSR444", "metadata.name"),
        (m.SERVER, "spec/replicas", "2", "VSR443", "spec.replicas"),
        (m.SERVER, "spec/selector", s.GONE, "VSR442", "spec"),
        (m.SERVER, "spec/template/spec/containers/0/env", {"A": "b"}, "VSR443", "containers[0].env"),
        (m.SERVER, "spec/template/spec/containers/0/env", [{"name": "A", "value": 5}], "VSR443", "env[0].value"),
        (m.SERVER, "spec/template/spec/containers/0/resources", {"limits": {"cpu": "two"}}, "VSR444", "limits.cpu"),
        (m.SERVER, "spec/template/spec/containers/0/name", s.GONE, "VSR442", "containers[0]"),
        (m.SERVER, "spec/template/spec/containers/1", {"name": "vllm"}, "VSR445", "containers[1]"),
        (m.SERVER, "spec/template/metadata/labels/app", "a b", "VSR444", "spec.template.metadata.labels.app"),
        (m.SERVER, "spec/template/spec/containers/0/livenessProbe", {"grpc": {"port": 0}}, "VSR444", "grpc.port"),
        (m.CONFIG, "data/number", 5, "VSR443", "data.number"),
        (m.CONFIG, "binaryData", {"a": "no!"}, "VSR444", "binaryData.a"),
        (m.SERVER, "apiVersion", "apps/v1beta1", "VSR449", ""),
        (m.SERVER, "apiVersion", "extensions/v1beta1", "VSR449", ""),
        (m.SERVER, "kind", "Deploymnet", "VSR449", ""),
        (m.SERVER, "apiVersion", "apps/v9", "VSR449", ""),
    ],
)
def test_invalid_object_is_reported_at_the_field(text: str, path: str, value: Any, code: str, where: str) -> None:
    """Unknown and missing fields, types, choices, and removed kinds."""
    found = [item for item in s.found(s.changed(text, path, value)) if item.code != "VSR463"]
    assert found[0].code == code
    assert where in found[0].message


def test_unknown_kind_gets_a_hint() -> None:
    """A similar name, or the command that lists kinds."""
    assert s.found(s.changed(m.SERVER, "kind", "Deploymnet"))[0].hint == "Did you mean `Deployment`?"
    assert "api-versions" in s.found(s.changed(m.SERVER, "apiVersion", "policy/v1beta1"))[0].hint


def test_check_that_needs_a_package_is_reported_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for each object."""
    monkeypatch.setattr(builtin_kinds, "available", lambda: False)
    text = m.joined(m.SERVICE, m.SERVER)
    assert [item.code for item in s.found(text)] == ["VSR453"]
    monkeypatch.undo()
    monkeypatch.setattr(patterns, "available", lambda: False)
    found = s.found(text)
    assert [item.code for item in found] == ["VSR453"]
    assert "vsr-compile[verify]" in found[0].hint


def test_required_fields_of_older_clients_are_those_whose_setters_reject_none() -> None:
    """Newer clients declare required fields."""

    class Old:
        attribute_map = {"api_name": "apiName", "size": "size"}  # noqa: RUF012 - as the client writes it
        local_vars_configuration: Any

        @property
        def api_name(self) -> str:
            return ""

        @api_name.setter
        def api_name(self, value: object) -> None:
            if self.local_vars_configuration.client_side_validation and value is None:
                raise ValueError("Invalid value for `api_name`, must not be `None`")

        @property
        def size(self) -> int:
            return 0

        @size.setter
        def size(self, value: object) -> None:
            self._size = value

    assert builtin_kinds._required(Old) == ["api_name"]
    assert builtin_kinds._typed("dict(str, list[str])") == {
        "type": "object",
        "additionalProperties": {"type": "array", "items": {"type": "string"}},
    }


def test_a_variable_that_is_set_twice_is_a_warning() -> None:
    """An API server accepts it and takes the last; only a server-side apply refuses it."""
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    found = s.found(s.changed(m.SERVER, "spec/template/spec/containers/0/env", twice))
    assert [(item.code, item.level) for item in found] == [("VSR445", Severity.WARNING)]
