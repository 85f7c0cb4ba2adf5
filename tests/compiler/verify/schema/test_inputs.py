"""Definitions among the objects, both channels, nulls in metadata, and rules beside other faults."""

from __future__ import annotations

from pathlib import Path

import pytest

import support.schema_support as s
from support.common import reference

CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: boxes.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: boxes, singular: box, kind: Box}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            required: [width]
            properties:
              width: {type: integer, minimum: 1}
              color: {type: string, pattern: "^[a-z]+$"}
              when: {type: string, format: date-time}
            x-kubernetes-validations:
            - {rule: "self.width < 10", message: too wide}
            - {rule: "!has(self.when) || self.when.getFullYear() > 2000", message: too old}
---
"""


def box(spec: str) -> str:
    """Return an object of the kind."""
    return f"apiVersion: example.com/v1\nkind: Box\nmetadata: {{name: a, namespace: prod}}\nspec: {spec}\n---\n"


def codes(text: str, *crds: Path) -> list[tuple[str, str]]:
    """Return code and path of each finding."""
    return [(item.code, item.message.partition("`, `")[2].partition("`")[0]) for item in s.found(text, *crds)]


@pytest.mark.parametrize("order", ["definition first", "definition last"])
def test_definition_in_the_input_checks_objects_of_its_kind(order: str) -> None:
    """In any order, without a definition elsewhere."""
    parts = [CRD, box("{width: 11}"), box("{widht: 1}")]
    text = "".join(parts if order == "definition first" else parts[1:] + parts[:1])
    assert codes(text) == [("VSR446", "spec"), ("VSR442", "spec"), ("VSR441", "spec.widht")]


def test_definition_in_the_input_is_used_instead_of_a_known_one(tmp_path: Path) -> None:
    """It is what the cluster gets."""
    (tmp_path / "crd.yaml").write_text(CRD.replace("width", "size"), encoding="utf-8")
    assert codes(box("{width: 1}"), tmp_path) == [("VSR442", "spec"), ("VSR441", "spec.width")]
    assert codes(CRD + box("{width: 1}"), tmp_path) == []


def test_rule_runs_beside_a_fault_that_does_not_concern_it() -> None:
    """A pattern stops no rule; a rule that reads a value of a wrong type is not evaluated."""
    assert codes(CRD + box("{width: 11, color: RED}")) == [("VSR446", "spec"), ("VSR444", "spec.color")]
    assert codes(CRD + box("{width: x}")) == [("VSR443", "spec.width")]
    assert codes(CRD + box("{width: 1, when: soon}")) == [("VSR444", "spec.when")]
    assert codes(CRD + box("{width: 1, when: 1999-01-01T00:00:00Z}")) == [("VSR446", "spec")]


def test_null_in_metadata_is_empty() -> None:
    """An API server decodes metadata of custom resources as that of its own kinds."""
    text = CRD + box("{width: 1}").replace("name: a", "name: a, labels: null, annotations: , finalizers: null")
    assert codes(text) == []


@pytest.mark.parametrize("case", ["03-null-labels-on-custom-resource/in.yaml", "04-experimental-channel/versions.yaml"])
def test_case_of_the_reference_has_no_error(case: str) -> None:
    """Nulls and the experimental channel are accepted."""
    root = reference()
    text = (root / "data/cases/verify" / case).read_text(encoding="utf-8")
    assert [item for item in s.found(text, root / "crds") if item.severity == "error"] == []


def test_case_with_faults_of_both_kinds_reports_rules_and_patterns() -> None:
    """In one run, as an API server does."""
    root = reference()
    text = (root / "data/cases/verify/13-cel-values/skipped-after-schema-error.yaml").read_text(encoding="utf-8")
    found = [item.code for item in s.found(text, root / "crds", root / "crds-newer")]
    assert (found.count("VSR444"), found.count("VSR446")) == (2, 3)


def test_case_with_a_definition_in_the_stream() -> None:
    """Its rule and its fields are checked."""
    text = (reference() / "data/cases/verify/14-crd-in-stream/in.yaml").read_text(encoding="utf-8")
    assert [item.code for item in s.found(text)] == ["VSR446", "VSR442", "VSR441"]


ROUTE = """\
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: prod}
spec:
  rules:
  - retry: {attempts: 2}
    backendRefs: [{name: s, port: 80}]
"""


def test_field_of_the_experimental_channel_is_a_note() -> None:
    """With Envoy Gateway, whose chart installs that channel, there is none."""
    crds = (reference() / "crds", reference() / "crds-newer")
    (note,) = s.found(ROUTE, *crds)
    assert note.code == "VSR462"
    assert "`spec.rules[0].retry` of HTTPRoute" in note.message
    envoy = """\
---
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: BackendTrafficPolicy
metadata: {name: r, namespace: prod}
spec: {targetRefs: [{group: gateway.networking.k8s.io, kind: HTTPRoute, name: r}]}
"""
    assert s.found(ROUTE + envoy, *crds) == []


def test_field_of_no_channel_is_an_error() -> None:
    """Although the experimental channel knows other fields."""
    text = ROUTE.replace("attempts: 2", "attempts: 2, atempts: 3")
    assert {item.code for item in s.found(text, reference() / "crds", reference() / "crds-newer")} == {
        "VSR462",
        "VSR441",
    }


def test_property_with_the_name_of_a_keyword_is_a_property() -> None:
    """Such as `format`, in a schema with rules."""
    color = '              color: {type: string, pattern: "^[a-z]+$"}\n'
    named = "              format: {type: object, properties: {type: {type: string}}}\n"
    assert color in CRD
    assert codes(CRD.replace(color, named) + box("{width: 1, format: {type: a}}")) == []
