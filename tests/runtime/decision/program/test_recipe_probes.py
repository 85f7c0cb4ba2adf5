"""Recipes with probes: requests and the decision that each must have. Unknown signals leave a decision open."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from support.common import ROOT, reference

CONFIG = """version: v0.3
routing:
  signals:
    keywords: [{name: urgent, operator: OR, keywords: [urgent]}, {name: code, operator: OR, keywords: [function]}]
    context: [{name: long, min_tokens: 1K, max_tokens: 1M, description: Long texts.}]
    fact_check: [{name: needs_fact_check}]
    conversation:
      - {name: image, feature: {type: exists, source: {type: image_content}}}
  projections:
    scores:
      - name: risk
        method: weighted_sum
        inputs: [{type: keyword, name: urgent, weight: 0.5}, {type: fact_check, name: needs_fact_check, weight: 0.5}]
    mappings: [{name: band, source: risk, method: threshold_bands, outputs: [{name: risky, gte: 0.7}]}]
  decisions:
    - {name: seen, priority: 60, rules: {type: conversation, name: image}}
    - {name: large, priority: 50, rules: {type: context, name: long}}
    - name: checked
      priority: 40
      rules: {operator: AND, conditions: [{type: projection, name: risky}, {type: keyword, name: code}]}
    - {name: quick, priority: 30, rules: {type: keyword, name: urgent}}
    - {name: rest, priority: 1, rules: {operator: AND}}
recipes:
  - name: other
    routing: {decisions: [{name: only, priority: 1}]}
entrypoints: [{model_names: [other-name], recipe: other}]
"""

GENERATED = """messages: [{role: user, content: Look}],
    generated_text: {message_index: 0, content_index: 1, target_text_bytes: 9000}"""


@pytest.fixture(scope="module")
def probes():
    """The benchmark's module."""
    spec = importlib.util.spec_from_file_location("recipe_probes", ROOT / "benchmarks" / "recipe_probes.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _probe(probes, folder, expected, variant, more=""):
    (folder / "config.yaml").write_text(CONFIG)
    text = f"decisions: [{{expected_decision: {expected}{more}, variants: [{{id: one, {variant}}}]}}]"
    (folder / "probes.yaml").write_text(text)
    return probes.probe(folder).removeprefix(f"{folder.name}: ")


@pytest.mark.parametrize(
    ("expected", "variant"),
    [
        ("rest", "query: hello"),
        ("quick", "query: urgent"),
        ("large", "query: word, repeat: 1000"),
        ("large", "query: word, padding: {text: word, repeat: 1000, placement: around}"),
        ("seen", "messages: [{role: user, content: [{type: text, text: Look}, {type: image_fixture, fixture: a}]}]"),
        ("large", GENERATED),
    ],
)
def test_a_probe_whose_decision_follows_from_known_signals_is_executed(probes, tmp_path, expected, variant):
    """Also one that needs a text or an image that the probe only describes, and rules without conditions."""
    assert _probe(probes, tmp_path, expected, variant) == "1 of 1 executed probes; missing signals: none"


def test_a_probe_goes_to_the_recipe_of_its_model(probes, tmp_path):
    """The name that clients send chooses the recipe."""
    found = _probe(probes, tmp_path, "only", "query: urgent", ", model: other-name")
    assert found == "1 of 1 executed probes; missing signals: none"


def test_a_probe_that_an_unknown_signal_may_change_is_listed(probes, tmp_path):
    """The score may or may not reach its band; without the word it does not matter."""
    found = _probe(probes, tmp_path, "checked", "query: an urgent function")
    assert found == "0 of 0 executed probes; missing signals: fact_check (1)"


def test_a_probe_with_another_decision_fails(probes, tmp_path):
    """It is named with both decisions."""
    found = _probe(probes, tmp_path, "quick", "query: hello")
    assert found == "0 of 1 executed probes; missing signals: none\n  one: rest instead of quick"


def test_recipes_as_given_decide_as_their_probes_say(probes):
    """Every probe of every recipe that is executed."""
    for path in sorted((reference() / "data" / "recipes").rglob("probes.yaml")):
        line = probes.probe(path.parent)
        right, _, executed = line.partition(": ")[2].split()[:3]
        assert int(right) == int(executed) > 0, line
