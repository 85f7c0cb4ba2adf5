"""Hostile streams and definitions end in a diagnostic within limits."""

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
    """Return an object of the kind."""
    return f"apiVersion: example.com/v1\nkind: Thing\nmetadata: {{name: a}}\nspec: {spec}\n"


def codes(folder: Path, schema: str, spec: str) -> list[str]:
    """Return the codes of findings by a schema."""
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
def test_unreadable_definition_is_reported(tmp_path: Path, text: str) -> None:
    """Alias bombs, cycles, templates; the kind then has no known schema."""
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
def test_malformed_definition_never_raises(tmp_path: Path, schema: str) -> None:
    """Malformed keywords are ignored."""
    assert set(codes(tmp_path, schema, "{a: [1]}")) <= {"VSR441", "VSR443", "VSR448"}


def test_pattern_with_exponential_backtracking_takes_linear_time(tmp_path: Path) -> None:
    """RE2 takes linear time; patterns that it does not support are ignored."""
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
    assert codes(tmp_path, schema, spec) == ["VSR444", "VSR446"]


def test_rule_that_exhausts_its_budget_is_reported_once_and_others_are_checked(tmp_path: Path) -> None:
    """For objects of any size."""
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


def test_rules_of_a_run_share_a_budget() -> None:
    """Many rules below their own limit can exhaust it."""
    evaluator = Evaluator(Budget(1000))
    node = structure.Node({"x-kubernetes-validations": [{"rule": "self.all(a, self.all(b, a + b >= 0))"}]})
    for _ in range(5):
        assert list(evaluator.problems(node, list(range(100)), ())) == []
    assert evaluator.budget.left <= 0
    assert evaluator.unevaluable == {}


def test_check_stops_at_nested_schemas_that_multiply(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run reports that not everything was checked."""
    monkeypatch.setattr("vsr_compiler.verify.schema.checks.WALK_STEPS", 10_000)
    inner = "{minLength: 1}"
    for _ in range(6):
        inner = f"{{anyOf: [{', '.join([f'{{allOf: [{inner}, {{maxLength: 0}}]}}'] * 4)}]}}"
    schema = f"{{type: object, properties: {{spec: {{type: array, items: {inner}}}}}}}"
    assert codes(tmp_path, schema, "[a, b, c]") == ["VSR448"]


def test_number_of_findings_is_limited(tmp_path: Path) -> None:
    """A hundred per object, a thousand per run, and the number of omitted ones."""
    schema = "{type: object, properties: {spec: {type: object}}}"
    lines = "".join(f"        {line}\n" for line in schema.splitlines())
    (tmp_path / "crd.yaml").write_text(HEAD + lines, encoding="utf-8")
    spec = "{" + ", ".join(f"k{number}: 1" for number in range(300)) + "}"
    stream = "---\n".join(thing(spec).replace("name: a", f"name: a{number}") for number in range(30))
    found = [item.code for item in s.found(stream, tmp_path)]
    assert found.count("VSR441") == 1000


def test_deep_and_large_values_never_raise(tmp_path: Path) -> None:
    """Up to the depth limit of streams."""
    schema = "{type: object, x-kubernetes-preserve-unknown-fields: true}"
    assert codes(tmp_path, schema, "{a: " * 90 + "1" + "}" * 90) == []
    deep = "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: a}\nspec:\n"
    inner = "{properties: {a: " * 40 + "{type: string}" + "}}" * 40
    deep += "  group: g\n  scope: Cluster\n  names: {kind: K, plural: ks}\n  versions: [{name: v1, served: true, "
    deep += f"storage: true, schema: {{openAPIV3Schema: {inner}}}}}]\n"
    assert s.found(deep) == []
