"""Nothing of a source is skipped in silence: an unknown value anywhere has a finding."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from support.imports import imported, places, policy_of
from vsr_compiler.importer import Options

WHOLE = """\
version: v0.3
listeners: [{name: http, address: 0.0.0.0, port: 8899}]
providers:
  defaults: {model: small, reasoning_effort: low, reasoning_families: {own: {type: chat_template_kwargs, parameter: a}}}
  models:
    - name: small
      reasoning: {family: qwen3}
      pricing: {prompt_per_1m: 1, completion_per_1m: 2}
      backend_refs: [{name: a, endpoint: "small.models:8000", weight: 1}]
    - {name: large, backend_refs: [{base_url: "https://api.example.com/v1", api_key_env: LARGE_API_KEY}]}
routing:
  modelCards: [{name: small, context_window_size: 8000, loras: [{name: tuned}]}, {name: large}]
  signals:
    keywords: [{name: urgent, operator: OR, keywords: [urgent]}, {name: idle, operator: OR, keywords: [idle]}]
    context: [{name: long, min_tokens: 4K}]
    domains: [{name: math, mmlu_categories: [math]}]
    embeddings: [{name: near, threshold: 0.7, candidates: [hello there]}]
    jailbreak: [{name: attack, threshold: 0.8}]
    pii: [{name: data, pii_types_allowed: [GPE]}]
    preferences: [{name: terse}]
    structure:
      - name: many
        feature: {type: count, source: {type: regex, pattern: "x+"}}
        predicate: {gte: 3}
  projections:
    scores: [{name: sum, method: weighted_sum, inputs: [{type: keyword, name: urgent, weight: 1}]}]
    mappings: [{name: band, source: sum, method: threshold_bands, outputs: [{name: hot, gte: 0.5}]}]
  decisions:
    - name: block
      priority: 100
      rules: {operator: OR, conditions: [{type: jailbreak, name: attack}]}
      plugins: [{type: fast_response, configuration: {message: no}}]
    - name: first
      priority: 50
      rules:
        operator: AND
        conditions:
          - {type: keyword, name: urgent}
          - {operator: NOT, conditions: [{type: context, name: long}]}
      modelRefs: [{model: small, use_reasoning: true}, {model: large}]
      algorithm: {type: latency_aware, latency_aware: {tpot_percentile: 50}}
      plugins:
        - {type: system_prompt, configuration: {system_prompt: Be brief., mode: insert}}
        - {type: response_cache, configuration: {similarity_threshold: 0.9}}
        - {type: tools, configuration: {mode: none}}
        - {type: request_params, configuration: {max_tokens_limit: 100}}
        - {type: header_mutation, configuration: {add: [{name: x-a, value: b}]}}
        - {type: router_replay, configuration: {enabled: true}}
    - name: second
      priority: 40
      rules: {operator: OR, conditions: [{type: projection, name: hot}, {type: structure, name: many}]}
      modelRefs: [{model: large}]
    - name: third
      priority: 30
      rules: {operator: OR, conditions: [{type: domain, name: math}, {type: embedding, name: near}]}
      modelRefs: [{model: small, lora_name: tuned}]
    - name: fourth
      priority: 20
      rules: {operator: OR, conditions: [{type: pii, name: data}, {type: preference, name: terse}]}
      modelRefs: [{model: small}]
global:
  router: {auto_model_name: auto, skip_processing: {enabled: false}}
  services: {ratelimit: {providers: [{type: local-limiter, rules: [{name: a, requests_per_unit: 5, unit: hour}]}]}}
  stores: {response_cache: {enabled: true, similarity_threshold: 0.8, redis: {host: a}}}
  integrations: {tools: {enabled: false}}
  model_catalog:
    embeddings: {semantic: {mmbert_model_path: models/a}}
    modules:
      prompt_guard: {enabled: true, threshold: 0.7, model_id: models/a}
      classifier: {pii: {threshold: 0.9, model_id: models/b}}
"""
OLD = """\
vllm_endpoints: [{name: first, address: vllm-a.models, port: 8000, weight: 1}]
model_config:
  small: {reasoning_family: qwen3, preferred_endpoints: [first], pii_policy: {allow_by_default: false}}
reasoning_families: {qwen3: {type: chat_template_kwargs, parameter: enable_thinking}}
prompt_guard: {enabled: true, threshold: 0.65}
semantic_cache: {enabled: true, similarity_threshold: 0.9}
classifier: {category_model: {threshold: 0.6}, pii_model: {threshold: 0.7}}
categories: [{name: math, system_prompt: Count., model_scores: [{model: small, score: 0.2}]}]
default_model: small
"""
FIELD = "colour"


def loaded(text: str) -> Any:
    """A configuration as plain data."""
    return YAML(typ="safe").load(text)


def mappings(node: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """All mappings of a document with their paths."""
    if isinstance(node, dict):
        yield path, node
        for key, child in node.items():
            yield from mappings(child, f"{path}.{key}".lstrip("."))
    elif isinstance(node, list):
        for child in node:
            yield from mappings(child, f"{path}[]")


def messages(folder: Path, data: Any) -> set[str]:
    """What the import of a document, with one value on each line, says."""
    return {item.message for item in imported(folder, json.dumps(data, indent=1)).findings}


@pytest.mark.parametrize("text", [WHOLE, OLD], ids=["0.4.0", "0.1"])
def test_an_unknown_value_anywhere_has_a_finding(tmp_path: Path, text: str) -> None:
    """At its place, at the part of which nobody reads anything, or in a group that says why it has no effect."""
    data = loaded(text)
    before = messages(tmp_path, data)
    silent = []
    for path, node in list(mappings(data)):
        node[FIELD] = "red"
        if messages(tmp_path, data) <= before and not _stated(path, node, before):
            silent.append((path, dict(node)))
        del node[FIELD]
    assert not silent


def _stated(path: str, node: dict[str, Any], before: set[str]) -> bool:
    """Whether a finding already says of the whole part, or of one around it, that it is lost or has no effect."""
    steps = path.split(".")
    around = {".".join(steps[: count + 1]).removesuffix("[]") for count in range(len(steps))}
    return (
        node.get("name") in WHOLLY
        or ".algorithm" in path  # the selection of the decision is reported
        or set(node) == {"enabled", FIELD}  # records of decisions are a group
        or any(f"`{part}`" in message for part in around for message in before)
    )


WHOLLY = {"idle", "terse"}
"""Signals that no decision uses, or that are lost as a whole."""


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("threshold: 0.7, model_id: models/a", "threshold: 0.7, on_error: allow", "prompt_guard.on_error"),
        ("pii: {threshold: 0.9", "pii: {min_words: 3", "classifier.pii.min_words"),
        ("skip_processing: {enabled: false}", "skip_processing: {header: x-skip}", "skip_processing.header"),
        ("requests_per_unit: 5", "requests_per_unit: 5, burst: 9", "burst"),
        ("enabled: true, similarity_threshold: 0.8", "enabled: true, personalized: true", "personalized"),
    ],
)
def test_a_known_field_that_is_not_carried_over_is_named(tmp_path: Path, old: str, new: str, path: str) -> None:
    """At its own place, although its neighbours are read."""
    assert old in WHOLE
    text = WHOLE.replace(old, new)
    found = [
        item for item in imported(tmp_path, text).findings if path in item.message and item.code in {"VSR526", "VSR527"}
    ]
    assert found
    row = text.splitlines()[found[0].span.line - 1]
    assert row[found[0].span.column - 1 :].startswith(path.rpartition(".")[2])


def test_what_signals_read_is_said_once(tmp_path: Path) -> None:
    """The stock router reads the whole turn."""
    assert len([1 for _, message in places(imported(tmp_path, WHOLE), "VSR525") if "whole last turn" in message]) == 1


PROGRAM = """\
SIGNAL keyword urgent { operator: "OR" keywords: ["urgent"] }
SIGNAL jailbreak attack { threshold: 0.8 }
PLUGIN unused system_prompt { system_prompt: "x" }
ROUTE quick (colour = "red") {
  PRIORITY 200
  WHEN keyword("urgent")
  MODEL "small" (speed = "high")
}
ROUTE block {
  PRIORITY 300
  WHEN jailbreak("attack")
  PLUGIN fast_response { message: "no" }
}
BACKEND vllm_endpoint mine { address: "a" port: 8000 }
GLOBAL { default_model: "small" }
TEST samples {
  "urgent: help" -> quick
  "ignore all" -> block
  "hello" -> gone
}
"""


def test_tests_of_a_program_become_tests_of_the_policy(tmp_path: Path) -> None:
    """One of a decision that the policy lacks is reported."""
    base = WHOLE.partition("routing:")[0]
    result = imported(tmp_path, base, PROGRAM)
    assert policy_of(result)["tests"] == [
        {"prompt": "urgent: help", "expect": {"route": "quick"}},
        {"prompt": "ignore all", "expect": {"guards": ["attack"]}},
    ]
    found = places(result, "VSR526")
    for line, word in ((19, "gone"), (4, "(colour)"), (7, "speed"), (14, "BACKEND"), (15, "GLOBAL"), (3, "unused")):
        assert [1 for at, message in found if at == line and word in message], word


RECIPES = """\
version: v0.3
providers: {defaults: {model: small}, models: [{name: small, backend_refs: [{endpoint: "small.models:8000"}]}]}
entrypoints: [{model_names: [quick], recipe: fast}, {model_names: [calm], recipe: slow}]
recipes:
  - {name: fast, routing: {decisions: [{name: fast-all, priority: 1, modelRefs: [{model: small}]}]}}
  - {name: slow, routing: {decisions: [{name: slow-all, priority: 1, modelRefs: [{model: small}]}]}}
"""


@pytest.mark.parametrize(("recipe", "name"), [("fast", "quick"), ("slow", "calm")])
def test_each_recipe_can_be_imported(tmp_path: Path, recipe: str, name: str) -> None:
    """With the names of its entry points."""
    policy = policy_of(imported(tmp_path, RECIPES, options=Options(recipe=recipe)))
    assert [route["name"] for route in policy["routes"]] == [f"{recipe}-all"]
    assert name in policy["router"]["autoModels"]
    assert imported(tmp_path, RECIPES, options=Options(recipe="none")).failed


SECRET = "Zq9-hidden-value-77"  # noqa: S105 - of sources below
NAMED = [
    ("api_key", SECRET),
    ("access_key", SECRET),
    ("openaiApiKey", SECRET),
    ("extra_headers", {"Authorization": f"Bearer {SECRET}"}),
    ("headers", [{"name": "X-Api-Key", "value": SECRET}]),
    ("base_url", f"https://user:{SECRET}@api.example.com/v1"),
    ("base_url", f"https://{SECRET}@api.example.com/v1"),
    ("endpoint", f"https://api.example.com/v1?api_key={SECRET}"),
    ("note", f"see https://user:{SECRET}@example.com"),
]


@pytest.mark.parametrize(("key", "value"), NAMED)
def test_a_key_anywhere_is_in_no_output(tmp_path: Path, key: str, value: object) -> None:
    """Neither in the policy nor in a finding or an excerpt."""
    data = loaded(WHOLE)
    for _, node in list(mappings(data)):
        node[key] = value
    result = imported(tmp_path, json.dumps(data, indent=1))
    shown = [result.policy, *(f"{item.message} {item.hint}" for item in result.findings), *result.texts.values()]
    assert result.policy
    assert not [text for text in shown if SECRET in text]


@pytest.mark.parametrize(
    "text",
    [
        WHOLE.replace("\n", "\r\n"),
        "\ufeff" + WHOLE,
        "---\nkind: Other\napiVersion: v1\n---\n" + WHOLE,
        WHOLE.replace("{name: small}", "&card {name: small}"),
    ],
    ids=["CRLF", "BOM", "documents", "anchor"],
)
def test_odd_files_give_the_same_policy(tmp_path: Path, text: str) -> None:
    """As the usual one."""
    assert policy_of(imported(tmp_path, text)) == policy_of(imported(tmp_path, WHOLE))
