"""Streams and definitions that were made to hurt: each ends in a diagnostic, soon."""

from __future__ import annotations

from pathlib import Path

import pytest

import support.schema_support as s
from vsr_compiler.verify.schema import structure
from vsr_compiler.verify.schema.cel import Budget
from vsr_compiler.verify.schema.cel_rules import Evaluator

HEAD = """\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  names:
    kind: Thing
  versions:
  - name: v1
    schema:
      openAPIV3Schema:
"""


def thing(spec: str) -> str:
    """An object of that kind."""
    return f"apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: a}}\nspec: {spec}\n"


def codes(folder: Path, schema: str, spec: str) -> list[str]:
    """The codes of findings by a schema."""
    lines = "".join(f"        {line}\n" for line in schema.splitlines())
    (folder / "crd.yaml").write_text(HEAD + lines, encoding="utf-8")
    return sorted({item.code for item in s.found(thing(spec), folder)})


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a]\n" + "c: " + "[" * 200 + "]" * 200,
        HEAD + "        {type: object, properties: *nowhere}",
        HEAD + "        &a {type: object, properties: {a: *a}}",
        HEAD + "        type: [",
        "kind: CustomResourceDefinition\n\x00",
        HEAD.replace("Thing", "Thing\xff").encode("latin-1").decode("latin-1") + "        {{ template }}",
    ],
)
def test_a_definition_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    """Bombs, circles, templates that were never rendered; the object is then one without a known schema."""
    body = text if "CustomResourceDefinition" in text else f"# CustomResourceDefinition example.com Thing\n{text}"
    (tmp_path / "crd.yaml").write_text(body + "\n# example.com Thing\n", encoding="utf-8")
    found = s.found(thing("{}"), tmp_path)
    assert [item.code for item in found if item.code == "VSR450"] == ["VSR450"]
    assert str(tmp_path / "crd.yaml") in {item.span.file for item in found}


@pytest.mark.parametrize(
    "schema",
    [
        "{type: 5, properties: [a], required: {a: b}, enum: x, pattern: [], items: 3}",
        "{properties: {spec: {type: strange, minimum: a, maxLength: [], x-kubernetes-validations: {rule: 1}}}}",
        "[]",
        "",
        "{x-kubernetes-list-map-keys: 5, x-kubernetes-list-type: map, anyOf: 3, oneOf: {a: b}, not: []}",
        "{properties: {spec: {x-kubernetes-validations: [3, {rule: 5}, {}]}}}",
    ],
)
def test_a_definition_of_a_wrong_form_makes_no_crash(tmp_path: Path, schema: str) -> None:
    """What of it makes no sense counts as absent; what it then does not know is told."""
    assert set(codes(tmp_path, schema, "{a: [1]}")) <= {"VSR441", "VSR443", "VSR448"}


def test_a_pattern_that_hangs_other_engines_does_not_hang_this_one(tmp_path: Path) -> None:
    """RE2 takes time in proportion to the text; one that it does not take is left out."""
    schema = """\
type: object
properties:
  spec:
    type: object
    properties:
      a: {type: string, pattern: "^(a+)+$"}
      b: {type: string, pattern: "(?=x)"}
      c: {type: string, pattern: "((a{1,100}){1,100}){1,100}"}
    x-kubernetes-validations:
    - {rule: "self.a.matches('^(a|a)*$')", message: only a}
"""
    spec = f'{{a: "{"a" * 30_000}b", b: x, c: x}}'
    assert codes(tmp_path, schema, spec) == ["VSR444"]


def test_a_rule_that_runs_away_is_told_once_and_the_others_hold(tmp_path: Path) -> None:
    """Whatever the size of the object."""
    schema = """\
type: object
properties:
  spec:
    type: array
    items: {type: integer}
    x-kubernetes-validations:
    - {rule: "self.all(a, self.all(b, self.all(c, self.all(d, a + b + c + d >= 0))))", message: slow}
    - {rule: "self.frob()", message: unknown}
    - {rule: "size(self) < 10", message: too many}
"""
    (tmp_path / "crd.yaml").write_text(HEAD + "".join(f"        {line}\n" for line in schema.splitlines()))
    stream = "---\n".join(thing(str(list(range(300)))).replace("name: a", f"name: a{number}") for number in range(3))
    found = [item.code for item in s.found(stream, tmp_path)]
    assert (found.count("VSR448"), found.count("VSR446")) == (2, 3)


def test_a_run_has_a_budget_for_all_rules_together() -> None:
    """Many rules below their own limit add up."""
    evaluator = Evaluator(Budget(1000))
    node = structure.Node({"x-kubernetes-validations": [{"rule": "self.all(a, self.all(b, a + b >= 0))"}]})
    for _ in range(5):
        assert list(evaluator.problems(node, list(range(100)), ())) == []
    assert evaluator.budget.left <= 0
    assert evaluator.unevaluable == {}


def test_schemas_that_multiply_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Forms within forms for each item of a list: the run says that not everything was checked."""
    monkeypatch.setattr("vsr_compiler.verify.schema.checks.WALK_STEPS", 100_000)
    inner = "{minLength: 1}"
    for _ in range(8):
        inner = f"{{anyOf: [{', '.join([f'{{allOf: [{inner}, {{maxLength: 0}}]}}'] * 4)}]}}"
    schema = f"{{type: object, properties: {{spec: {{type: array, items: {inner}}}}}}}"
    assert codes(tmp_path, schema, "[a, b, c]") == ["VSR448"]


def test_thousands_of_findings_are_cut(tmp_path: Path) -> None:
    """A hundred of an object, a thousand of a run, and how many more there are."""
    schema = "{type: object, properties: {spec: {type: object}}}"
    lines = "".join(f"        {line}\n" for line in schema.splitlines())
    (tmp_path / "crd.yaml").write_text(HEAD + lines, encoding="utf-8")
    spec = "{" + ", ".join(f"k{number}: 1" for number in range(300)) + "}"
    stream = "---\n".join(thing(spec).replace("name: a", f"name: a{number}") for number in range(30))
    found = [item.code for item in s.found(stream, tmp_path)]
    assert found.count("VSR441") == 1000


def test_values_at_every_depth_and_of_every_size_are_walked_without_a_crash(tmp_path: Path) -> None:
    """As deep as a stream may be."""
    schema = "{type: object, x-kubernetes-preserve-unknown-fields: true}"
    assert codes(tmp_path, schema, "{a: " * 90 + "1" + "}" * 90) == []
    deep = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec:\n"
    inner = "{properties: {a: " * 40 + "{type: string}" + "}}" * 40
    deep += "  group: g\n  scope: Cluster\n  names: {kind: K, plural: ks}\n  versions: [{name: v1, served: true, "
    deep += f"storage: true, schema: {{openAPIV3Schema: {inner}}}}}]\n"
    assert s.found(deep) == []
