"""Every keyword of a structural schema, with a small definition and small objects."""

from __future__ import annotations

from pathlib import Path

import pytest

import support.schema_support as s
from support.common import call
from vsr_compiler.diagnostics import Diagnostic

CRD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    subresources: {status: {}}
    schema:
      openAPIV3Schema:
        type: object
        required: [spec]
        properties:
          spec:
            type: object
            required: [size]
            properties:
              size: {type: integer, minimum: 1, maximum: 10, exclusiveMaximum: true}
              mode: {type: string, enum: [fast, slow], default: fast}
              port: {x-kubernetes-int-or-string: true}
              ratio: {type: number, multipleOf: 0.5}
              name: {type: string, minLength: 2, maxLength: 5, pattern: "^[a-z]+$"}
              gone: {type: string, nullable: true}
              when: {type: string, format: date-time}
              bytes: {type: string, format: byte}
              wait: {type: string, format: duration}
              free: {type: object, x-kubernetes-preserve-unknown-fields: true}
              labels: {type: object, maxProperties: 2, additionalProperties: {type: string}}
              tags: {type: array, x-kubernetes-list-type: set, items: {type: string}, maxItems: 3}
              parts:
                type: array
                x-kubernetes-list-type: map
                x-kubernetes-list-map-keys: [name, kind]
                items:
                  type: object
                  properties: {name: {type: string}, kind: {type: string, default: a}, on: {type: boolean}}
              choice:
                type: object
                properties: {one: {type: string}, two: {type: string}}
                oneOf: [{required: [one]}, {required: [two]}]
              some:
                type: object
                properties: {one: {type: string}, two: {type: string}, old: {type: string}}
                anyOf: [{required: [one]}, {required: [two]}]
                not: {required: [old]}
              amount:
                x-kubernetes-int-or-string: true
                allOf: [{pattern: "^[0-9]+$"}, {pattern: "^1"}]
              embedded: {type: object, x-kubernetes-embedded-resource: true, x-kubernetes-preserve-unknown-fields: true}
            x-kubernetes-validations:
            - {rule: "self.mode != 'slow' || self.size < 5", message: slow things are small}
            - rule: "!has(self.name) || self.name != 'bad'"
              messageExpression: "'the name ' + self.name + ' is not good'"
              fieldPath: .name
              reason: FieldValueInvalid
            - {rule: "self.size == oldSelf.size", message: the size stays}
            - {rule: "oldSelf.hasValue() || self.size != 7", optionalOldSelf: true, message: not seven at first}
            - {rule: "!has(self.when) || self.when.getFullYear() > 2000", message: not so old}
            - {rule: "!has(self.wait) || self.wait < duration('1h')", message: not so long}
            - {rule: "!has(self.bytes) || self.bytes == b'ab'", message: these bytes}
          status: {type: object, required: [phase], properties: {phase: {type: string}}}
  - {name: v1beta1, served: true, deprecated: true, deprecationWarning: v1beta1 goes, schema: {openAPIV3Schema: {
      type: object, x-kubernetes-preserve-unknown-fields: true}}}
  - {name: v1alpha1, served: false, schema: {openAPIV3Schema: {type: object}}}
"""


def thing(spec: str, version: str = "v1", rest: str = "") -> str:
    """Return an object of the kind."""
    return f"apiVersion: example.com/{version}\nkind: Thing\nmetadata: {{name: a, namespace: b}}\n{rest}spec: {spec}\n"


@pytest.fixture
def crds(tmp_path: Path) -> Path:
    """Write the definition to a folder."""
    path = tmp_path / "things.yaml"
    path.write_text(CRD, encoding="utf-8")
    return tmp_path


def only(found: list[Diagnostic]) -> Diagnostic:
    """Return the only finding."""
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    "spec",
    [
        "{size: 1}",
        "{size: 9, mode: slow}".replace("9", "4"),
        "{size: 1, port: 80}",
        "{size: 1, port: http}",
        "{size: 1, ratio: 2}",
        "{size: 1, gone: null}",
        "{size: 1, name: null}",
        "{size: 1, mode: null}",
        "{size: 1.0}",
        "{size: 1, free: {any: [thing]}}",
        "{size: 1, labels: {a: b}}",
        "{size: 1, tags: [a, b]}",
        "{size: 1, parts: [{name: a}, {name: a, kind: b}]}",
        "{size: 1, choice: {one: a}}",
        "{size: 1, some: {one: a, two: b}}",
        "{size: 1, amount: '12', when: '2026-01-01T00:00:00Z', bytes: YWI=, wait: 5m}",
        "{size: 1, embedded: {apiVersion: v1, kind: X, metadata: {name: x}, else: 1}}",
    ],
)
def test_valid_values_are_accepted(crds: Path, spec: str) -> None:
    """After defaults are applied and nulls dropped, as in an API server."""
    assert s.found(thing(spec), crds) == []


@pytest.mark.parametrize(
    ("spec", "code", "message"),
    [
        ("{}", "VSR442", "`spec`: missing field `size`"),
        ("{size: '1'}", "VSR443", "`spec.size`: must be an integer, not a string"),
        ("{size: 1, name: 5}", "VSR443", "`spec.name`: must be a string, not an integer"),
        ("{size: 1, port: true}", "VSR443", "`spec.port`: must be an integer or a string, not true or false"),
        ("{size: 1, tags: {a: b}}", "VSR443", "`spec.tags`: must be a list, not a mapping"),
        ("{size: 1, tags: [null]}", "VSR443", "`spec.tags[0]`: must be a string, not null"),
        ("{size: 1, labels: {a/b: 1}}", "VSR443", '`spec.labels["a/b"]`: must be a string'),
        ("{size: 0}", "VSR444", "`spec.size`: 0 is too small"),
        ("{size: 10}", "VSR444", "`spec.size`: 10 is too large"),
        ("{size: 1, ratio: 0.3}", "VSR444", "not a multiple of 0.5"),
        ("{size: 1, mode: quick}", "VSR444", "`quick` is not allowed"),
        ("{size: 1, name: a}", "VSR444", "has 1 characters, fewer than 2"),
        ("{size: 1, name: abcdef}", "VSR444", "has 6 characters, more than 5"),
        ("{size: 1, name: AB}", "VSR444", "`AB` does not match the pattern"),
        ("{size: 1, when: today}", "VSR444", "`today` does not have the format date-time"),
        ("{size: 1, labels: {a: b, c: d, e: f}}", "VSR444", "has 3 entries, more than 2"),
        ("{size: 1, tags: [a, b, c, d]}", "VSR444", "has 4 items, more than 3"),
        ("{size: 1, tags: [a, a]}", "VSR445", "`spec.tags[1]`: repeats `a`"),
        ("{size: 1, parts: [{name: a}, {name: a, kind: a}]}", "VSR445", "`spec.parts[1]`: has the same name `a`"),
        ("{size: 1, choice: {}}", "VSR444", "has none of the allowed forms"),
        ("{size: 1, choice: {one: a, two: b}}", "VSR444", "has `one` and `two`; exactly one form"),
        ("{size: 1, some: {}}", "VSR444", "needs one of `one`, `two`"),
        ("{size: 1, some: {one: a, old: b}}", "VSR444", "has a form that is not allowed"),
        ("{size: 1, amount: '2x'}", "VSR444", "`2x` does not match"),
        ("{size: 1, embedded: {kind: X, metadata: {name: x}}}", "VSR442", "missing field `apiVersion`"),
        ("{size: 1, embedded: {apiVersion: v1, kind: X, metadata: {nme: x}}}", "VSR441", "embedded.metadata.nme"),
        ("{size: 1, colour: red}", "VSR441", "`spec.colour`: unknown field"),
        ("{size: 1, parts: [{nam: a}]}", "VSR441", "`spec.parts[0].nam`"),
        ("{size: 6, mode: slow}", "VSR446", "`spec`: slow things are small"),
        ("{size: 1, name: bad}", "VSR446", "`spec.name`: the name bad is not good"),
        ("{size: 7}", "VSR446", "`spec`: not seven at first"),
        ("{size: 1, when: '1999-01-01T00:00:00Z'}", "VSR446", "not so old"),
        ("{size: 1, wait: 2h}", "VSR446", "not so long"),
        ("{size: 1, bytes: YQ==}", "VSR446", "these bytes"),
    ],
)
def test_violation_of_each_keyword_is_reported_at_its_field(crds: Path, spec: str, code: str, message: str) -> None:
    """With a message for the keyword."""
    found = s.found(thing(spec), crds)
    assert found[0].code == code
    assert message in found[0].message


def test_finding_has_line_and_column_of_its_node(crds: Path) -> None:
    """An unknown field at its key, a wrong value at the value, a missing field at its parent."""
    text = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec:\n  sise: 1\n  tags:\n  - a\n  - 5\n"
    found = {item.code: item.span for item in s.found(text, crds)}
    assert (found["VSR441"].line, found["VSR441"].column) == (5, 3)
    assert (found["VSR443"].line, found["VSR443"].column) == (8, 5)
    assert (found["VSR442"].line, found["VSR442"].column) == (5, 3)


def test_misspelt_field_gets_a_suggestion(crds: Path) -> None:
    """And one that is like nothing gets the fields that there are."""
    assert only(s.found(thing("{size: 1, mod: fast}"), crds)).hint == "Did you mean `mode`?"
    assert "`one`, `two`" in s.found(thing("{size: 1, choice: {one: a, zzzz: b}}"), crds)[0].hint


def test_status_is_ignored_if_it_is_a_subresource(crds: Path) -> None:
    """The API server drops it, so that what it lacks does not matter."""
    assert s.found(thing("{size: 1}", rest="status: {nothing: 1}\n"), crds) == []


def test_unserved_and_deprecated_versions_are_reported(crds: Path) -> None:
    """The hint lists the served versions."""
    assert only(s.found(thing("{}", "v1alpha1"), crds)).code == "VSR449"
    missing = only(s.found(thing("{}", "v2"), crds))
    assert (missing.code, missing.hint) == ("VSR449", "Use a served version: `v1`, `v1beta1`.")
    deprecated = only(s.found(thing("{any: thing}", "v1beta1"), crds))
    assert (deprecated.code, "v1beta1 goes" in deprecated.message) == ("VSR454", True)


@pytest.mark.parametrize("length", [64, 253, 254])
def test_names_have_up_to_253_characters(crds: Path, length: int) -> None:
    """Kubernetes bounds a subdomain as a whole, not its parts."""
    text = f"apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: {'a' * length}}}\nspec: {{size: 1}}\n"
    assert [item.code for item in s.found(text, crds)] == (["VSR444"] if length == 254 else [])


@pytest.mark.parametrize(
    ("metadata", "code", "message"),
    [
        ("{name: Big Name}", "VSR444", "is not a valid name of a Thing"),
        ("{name: a, namespace: A}", "VSR444", "is not a valid name of a Namespace"),
        ("{name: a, labels: {a b: c}}", "VSR444", "is not a valid key of a label"),
        ("{name: a, labels: {a: b c}}", "VSR444", "is not a valid value of a label"),
        ("{name: a, labels: {a: 1}}", "VSR443", "must be a string"),
        ("{name: a, annotations: {a b: c}}", "VSR444", "is not a valid key of an annotation"),
        ("{name: a, lables: {a: b}}", "VSR441", "`metadata.lables`"),
    ],
)
def test_names_and_labels_follow_the_rules_of_kubernetes(crds: Path, metadata: str, code: str, message: str) -> None:
    """No definition says them; every API server asks for them."""
    text = f"apiVersion: example.com/v1\nkind: Thing\nmetadata: {metadata}\nspec: {{size: 1}}\n"
    assert (code, True) == (only(s.found(text, crds)).code, message in s.found(text, crds)[0].message)


def test_command_reads_definitions_from_the_flag_and_the_environment(
    crds: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A flag wins over VSR_CRDS, which wins over the cache; where none has the kind, a note says so once."""
    monkeypatch.setenv("VSR_CACHE_DIR", str(tmp_path / "none"))
    monkeypatch.delenv("VSR_CRDS", raising=False)
    stream = thing("{size: 0}") + "---\n" + thing("{size: 0}").replace("name: a", "name: c")
    without = call("verify", "-", stdin=stream)
    assert (without.exit_code, without.stderr.count("VSR440")) == (0, 1)
    assert call("verify", "-", "--crds", str(crds), stdin=stream).stderr.count("VSR444") == 2
    monkeypatch.setenv("VSR_CRDS", str(crds))
    assert call("verify", "-", stdin=stream).exit_code == 1
    other = tmp_path / "other"
    other.mkdir()
    (other / "x.yaml").write_text(CRD.replace("minimum: 1,", ""), encoding="utf-8")
    assert call("verify", "-", "--crds", str(other), stdin=stream).exit_code == 0
