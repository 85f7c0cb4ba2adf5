"""The forms in which configurations of the stock router are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.common import reference
from support.imports import imported, places, policy_of, routes
from vsr_compiler.importer import Options, import_files
from vsr_compiler.importer.sources import Part

OLDEST = """\
vllm_endpoints:
  - {name: first, address: vllm-a.models, port: 8000, weight: 1}
  - {name: second, address: 10.1.2.3, port: 8000, weight: 1}
model_config:
  small: {reasoning_family: qwen3, preferred_endpoints: [first], pii_policy: {allow_by_default: true}}
  large: {preferred_endpoints: [second], pii_policy: {allow_by_default: false, pii_types_allowed: [PERSON, GPE]}}
reasoning_families: {qwen3: {type: chat_template_kwargs, parameter: enable_thinking}}
prompt_guard: {enabled: true, threshold: 0.65}
semantic_cache: {enabled: true, similarity_threshold: 0.9}
categories:
  - name: math
    system_prompt: You are a mathematician.
    model_scores: [{model: large, score: 0.2}, {model: small, score: 0.9, use_reasoning: true}]
  - {name: law, semantic_cache_enabled: false, model_scores: [{model: large, score: 1.0}]}
default_model: small
"""
PROGRAM = """\
# A program.
SIGNAL keyword urgent { operator: "OR" keywords: ["urgent", "as soon \\"as\\" possible"] }
SIGNAL domain math { description: "numbers" mmlu_categories: ["math"] }
PLUGIN polite system_prompt { system_prompt: "Be polite." mode: "insert" }
ROUTE quick (description = "Fast") {
  PRIORITY 200
  WHEN (keyword("urgent") OR domain("math")) AND NOT keyword("urgent")
  MODEL "large" (reasoning = true, effort = "high", weight = 0.5), "small"
  PLUGIN polite { mode: "replace" }
}
TEST quick { "2+2" -> quick }
"""
BASE = """\
version: v0.3
providers:
  defaults: {default_model: small}
  models:
    - {name: small, backend_refs: [{endpoint: "small.models:8000"}]}
    - {name: large, reasoning_family: gpt-oss, backend_refs: [{endpoint: "large.models:8000"}]}
routing: {modelCards: [{name: small}], decisions: [{name: old, priority: 1, modelRefs: [{model: small}]}]}
"""
OBJECTS = """\
apiVersion: vllm.ai/v1alpha1
kind: IntelligentPool
metadata: {name: pool}
spec:
  defaultModel: small
  models:
    - {name: small, reasoningFamily: qwen3, pricing: {inputTokenPrice: 0.000002, outputTokenPrice: 0.000004}}
    - {name: large}
---
apiVersion: vllm.ai/v1alpha1
kind: IntelligentRoute
metadata: {name: route}
spec:
  signals: {keywords: [{name: urgent, operator: OR, keywords: [urgent], caseSensitive: true}]}
  decisions:
    - name: quick
      priority: 100
      signals: {operator: AND, conditions: [{type: keyword, name: urgent}]}
      modelRefs: [{model: small, useReasoning: true}, {model: large}]
"""
OPERATOR = """\
apiVersion: vllm.ai/v1alpha1
kind: SemanticRouter
metadata: {name: router, namespace: serving}
spec:
  vllmEndpoints:
    - {name: a, model: small, reasoningFamily: qwen3, backend: {type: service, service: {name: vllm, port: 8000}}}
    - {name: b, model: large, backend: {type: kserve, inferenceServiceName: llama}}
  config:
    complexity_rules: [{name: code, threshold: "0.3", hard: {candidates: [a proof]}, easy: {candidates: [hello]}}]
    decisions:
      - name: hard
        priority: 10
        rules: {operator: AND, conditions: [{type: complexity, name: "code:hard"}]}
        modelRefs: [{model: large}]
"""


def test_categories_with_scores_become_routes_and_protections_guards(tmp_path: Path) -> None:
    """Release 0.1: the best model answers; attacks are refused, and data that a model must not get."""
    result = imported(tmp_path, OLDEST)
    policy = policy_of(result)
    assert routes(result) == [("law", {"category": "law"}, "large"), ("math", {"category": "math"}, "small")]
    law, math = policy["routes"]
    assert math["reasoning"] is True
    assert math["systemPrompt"] == "You are a mathematician."
    assert math["cache"]["similarity"] == 0.9
    assert "cache" not in law
    assert policy["endpoints"] == {"small": {"service": "vllm-a.models:8000"}, "large": {"service": "large:8000"}}
    assert policy["guards"]["jailbreak"]["threshold"] == 0.65
    assert policy["guards"]["pii"]["except"] == {"models": ["small"]}
    assert {"PERSON", "GPE"}.isdisjoint(policy["guards"]["pii"]["types"])
    assert policy["default"] == "small"
    assert not result.failed


def test_a_program_replaces_the_routing_of_its_base(tmp_path: Path) -> None:
    """The base has the providers; a template's fields are replaced one by one."""
    result = imported(tmp_path, BASE, PROGRAM)
    [route] = policy_of(result)["routes"]
    both = {"any": [{"signal": "urgent"}, {"category": "math"}]}
    assert route["when"] == {"all": [both, {"not": {"signal": "urgent"}}]}
    assert (route["model"], route["effort"], route["systemPrompt"]) == ("large", "high", "Be polite.")
    assert policy_of(result)["signals"]["urgent"]["keywords"] == ["urgent", 'as soon "as" possible']
    assert not result.failed


def test_a_decision_tree_becomes_routes_in_its_order(tmp_path: Path) -> None:
    """The last branch holds always."""
    program = """
SIGNAL keyword a { operator: "OR" keywords: ["a"] }
DECISION_TREE tree {
  IF keyword("a") { NAME "first" MODEL "large" }
  ELSE IF NOT keyword("a") { MODEL "small" }
  ELSE { NAME "last" MODEL "small" }
}
"""
    assert [name for name, _, _ in routes(imported(tmp_path, BASE, program))] == ["first", "tree_2", "last"]


@pytest.mark.parametrize(
    ("program", "line"),
    [
        ("ROUTE a {\n  MODEL\n", 2),
        ('ROUTE a {\n  WHEN keyword("b" MODEL "c"\n}\n', 2),
        ("ROUTE a {\n  COLOUR red\n}\n", 2),
        ('SIGNAL keyword a { keywords: ["open\n', 1),
        ("ROUTE a { WHEN " + "(" * 500 + 'keyword("a")' + ")" * 500 + " }", 1),
        ("SIGNAL keyword a " + "{ a: " * 500, 1),
    ],
)
def test_a_broken_program_is_an_error_at_its_place(tmp_path: Path, program: str, line: int) -> None:
    """With a line, and never without end."""
    result = imported(tmp_path, BASE, program)
    assert result.failed
    assert [item.span.line for item in result.findings if item.code in {"VSR002", "VSR005"}] == [line]


def test_pools_and_routes_are_one_configuration(tmp_path: Path) -> None:
    """Prices are per token there, and the controller takes the first model."""
    result = imported(tmp_path, OBJECTS)
    policy = policy_of(result)
    assert policy["models"]["small"]["price"] == {"prompt": 2, "completion": 4}
    [route] = policy["routes"]
    assert (route["model"], route["reasoning"]) == ("small", True)
    assert policy["signals"]["urgent"]["caseSensitive"] is True


def test_an_operators_object_has_endpoints_and_settings(tmp_path: Path) -> None:
    """Services are in the namespace of the object; KServe's have the name of their predictor."""
    result = imported(tmp_path, OPERATOR)
    policy = policy_of(result)
    assert policy["endpoints"] == {
        "small": {"service": "vllm.serving:8000"},
        "large": {"service": "llama-predictor.serving:8080"},
    }
    assert policy["signals"]["code-hard"]["complexity"]["threshold"] == 0.3
    assert routes(result) == [("hard", {"signal": "code-hard"}, "large")]


def test_findings_in_a_config_map_point_into_its_text(tmp_path: Path) -> None:
    """Line and column of the file, not of the text."""
    inner = BASE.replace("name: old,", "name: old, colour: red,")
    text = "kind: ConfigMap\napiVersion: v1\ndata:\n  config.yaml: |\n" + "".join(
        f"    {line}\n" for line in inner.splitlines()
    )
    result = imported(tmp_path, text)
    [item] = [item for item in result.findings if "colour" in item.message]
    assert text.splitlines()[item.span.line - 1][item.span.column - 1 :].startswith("colour: red")


def test_values_of_a_chart_have_the_configuration_under_config(tmp_path: Path) -> None:
    """Other values are not of the configuration."""
    text = "image: {tag: x}\nconfig:\n" + "".join(f"  {line}\n" for line in BASE.splitlines())
    assert policy_of(imported(tmp_path, text))["default"] == "small"


def test_two_configurations_are_an_error(tmp_path: Path) -> None:
    """A policy has one set of routes."""
    result = imported(tmp_path, BASE, BASE)
    assert result.failed
    assert "a second configuration" in places(result, "VSR522")[0][1]


def test_the_first_entry_point_of_several_recipes_is_imported(tmp_path: Path) -> None:
    """The others are named."""
    text = BASE.partition("routing:")[0]
    text += "entrypoints: [{model_names: [fast-lane], recipe: fast}]\nrecipes:\n"
    for name in ("slow", "fast"):
        decision = f"{{name: {name}-all, priority: 1, modelRefs: [{{model: small}}]}}"
        text += f"  - {{name: {name}, routing: {{decisions: [{decision}]}}}}\n"
    result = imported(tmp_path, text)
    assert [name for name, _, _ in routes(result)] == ["fast-all"]
    assert policy_of(result)["router"]["autoModels"] == ["fast-lane"]
    said = [message for _, message in places(result, "VSR525")]
    assert any("recipe `slow` is not imported" in message for message in said)
    assert any("`auto`, `MoM` lead to the default recipe of the source" in message for message in said)


FILES = ("router-configs", "recipes", "crd-golden")


@pytest.mark.parametrize("folder", FILES)
def test_configurations_of_others_import_without_an_error(folder: str) -> None:
    """Each by itself; a policy comes out whose findings are no errors."""
    found = 0
    for path in sorted((reference() / "data" / folder).rglob("*.yaml")):
        result = import_files([path], Options())
        if result.forms:
            found += 1
            assert not result.failed, path
            assert result.policy
    assert found


def test_objects_and_the_configuration_that_they_stand_for_give_the_same_routes() -> None:
    """The router's own controller made the configurations, which lack the settings of plugins and stores."""
    folder = reference() / "data" / "crd-golden"
    for path in sorted((folder / "input").glob("*.yaml")):
        own = import_files([path, folder / "base-config.yaml"], Options())
        made = import_files([folder / "output" / path.name], Options())
        one, other = policy_of(own), policy_of(made)
        for route in (*one.get("routes", []), *other.get("routes", [])):
            route.pop("cache", None)
        for section in ("routes", "models", "signals", "categories", "default"):
            assert one.get(section) == other.get(section), (path.name, section)


def test_a_part_without_yaml_is_none_of_its_forms() -> None:
    """Recognition looks at the content."""
    from vsr_compiler.diagnostics import Span  # noqa: PLC0415 - of this test
    from vsr_compiler.importer.stock import FAMILY  # noqa: PLC0415 - of this test

    assert FAMILY.recognise(Part("config.yaml", "hello", None, Span("config.yaml", 1, 1))) == ""
