"""Stock decisions that select their model by what was observed of models."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from support.request_machine import headers
from vsr_runtime.decision.request.events import RequestBody
from vsr_runtime.decision.request.request_machine import advance
from vsr_runtime.decision.request.states import AwaitsHeaders
from vsr_runtime.decision.selection.observations import Observed
from vsr_runtime.errors import UserError
from vsr_runtime.settings import load, machine_config

CONFIG = """version: v0.3
providers:
  defaults: {model: small}
  models:
    - {name: small, pricing: {prompt_per_1m: 1}, backend_refs: [{endpoint: "small.default:8000"}]}
    - {name: big, pricing: {prompt_per_1m: 5, completion_per_1m: 9}, backend_refs: [{endpoint: "big.default:8000"}]}
routing:
  modelCards: [{name: small, quality_score: 0.3, context_window_size: %s}, {name: big, quality_score: 0.9}]
  decisions:
    - {name: all, rules: {operator: AND, conditions: []}, modelRefs: [{model: small}, {model: big}], algorithm: %s}
"""
RUNTIME = """apiVersion: vsr.dev/v1alpha1
kind: RuntimeSettings
policy: p
deadline: 1000
limits: {maxBody: 1000000, maxMessage: 1100000}
"""
BALANCED = "{type: multi_factor}"
BEST = "{type: multi_factor, multi_factor: {weights: {quality: 1}}}"
FAST = "{type: latency_aware, latency_aware: {tpot_percentile: 50, ttft_percentile: 95, description: fast}}"
SLOW_SMALL = {"small": Observed(0, {50: 2.0}, {95: 2.0}), "big": Observed(0, {50: 1.0}, {95: 1.0})}


def _settings(folder, algorithm, runtime="", context=100000):
    (folder / "config.yaml").write_text(CONFIG % (context, algorithm))
    if runtime:
        (folder / "runtime.yaml").write_text(RUNTIME + runtime)
    return load(folder / "config.yaml")


def _model(settings, observed=None, model="auto", text="hello"):
    config = machine_config(settings)
    state, _ = advance(config, AwaitsHeaders(), headers())
    body = {"model": model, "messages": [{"role": "user", "content": text}], "max_tokens": 10}
    _, action = advance(config, replace(state, observed=observed), RequestBody(json.dumps(body).encode()))
    return action.model


def test_multi_factor_without_observations_compares_quality_and_price(tmp_path):
    """Quality alone, then price alone."""
    assert _model(_settings(tmp_path, BEST)) == "big"
    assert _model(_settings(tmp_path, "{type: multi_factor, multi_factor: {weights: {cost: 1}}}")) == "small"


def test_multi_factor_leaves_a_busy_model(tmp_path):
    """With default weights the cheap model wins by its order, until it is busier."""
    settings = _settings(tmp_path, BALANCED)
    assert _model(settings) == "small"
    assert _model(settings, {"small": Observed(3), "big": Observed(0)}) == "big"


def test_ceilings_exclude_models_and_a_last_resort_serves(tmp_path):
    """`fail` leaves the choice to the first model, as a selection that fails does in the stock router."""
    ceiling = "{type: multi_factor, multi_factor: {weights: {quality: 1}, slo: {max_cost_per_1m: %s}, %s}}"
    assert _model(_settings(tmp_path, ceiling % (2, "on_no_candidates: first"))) == "small"
    assert _model(_settings(tmp_path, ceiling % (0.5, "on_no_candidates: cheapest"))) == "small"
    assert _model(_settings(tmp_path, ceiling % (0.5, "on_no_candidates: fail"))) == "small"


def test_latency_aware_selects_the_faster_model(tmp_path):
    """Without numbers the first one."""
    settings = _settings(tmp_path, FAST)
    assert _model(settings) == "small"
    assert _model(settings, SLOW_SMALL) == "big"


def test_models_that_cannot_hold_a_request_are_no_candidates(tmp_path):
    """However fast they are."""
    settings = _settings(tmp_path, FAST, context=50)
    assert _model(settings, {}, text="word " * 400) == "big"


def test_a_client_that_names_a_model_gets_it(tmp_path):
    """Nothing is selected."""
    assert _model(_settings(tmp_path, FAST), SLOW_SMALL, model="small") == "small"


def test_programs_say_what_they_must_know(tmp_path):
    """Only those whose decisions select by observations do."""
    wanted = _settings(tmp_path, FAST).program.wanted
    assert wanted.models == {"small", "big"}
    assert (wanted.tpot, wanted.ttft) == ({50}, {95})
    assert _settings(tmp_path, "{type: static}").program.wanted is None


@pytest.mark.parametrize(
    ("algorithm", "runtime", "reason"),
    [
        ("{type: latency_aware}", "", "tpot_percentile or ttft_percentile"),
        ("{type: latency_aware, latency_aware: {tpot_percentile: 101}}", "", "tpot_percentile"),
        ("{type: multi_factor, multi_factor: {weights: {cost: .inf}}}", "", "cost"),
        ("{type: multi_factor, multi_factor: {latency_metric: ttft}}", "", "latency_metric: not supported"),
        ("{type: multi_factor, multi_factor: {objective: {strategy: lexicographic}}}", "", "objective: not supported"),
        (BEST, "splits: {all: {small: 50, big: 50}}\n", "selects its model by multi_factor"),
        (
            BEST,
            "fallbacks: {all: {routes: {small: a, big: b}, models: [], attempts: 2}}\n",
            "selects its model",
        ),
        (BEST, "stickiness: {mode: escalate, order: [small, big]}\n", "cannot escalate"),
    ],
)
def test_forms_that_cannot_be_executed_are_refused(tmp_path, algorithm, runtime, reason):
    """By their place."""
    with pytest.raises(UserError, match=reason):
        _settings(tmp_path, algorithm, runtime)


def test_recipes_observe_for_each_other(tmp_path):
    """A response to a request of any profile is read."""
    text = CONFIG % (100000, "{type: static}")
    text += """recipes:
  - name: fast
    routing:
      decisions:
        - name: all
          rules: {operator: AND, conditions: []}
          modelRefs: [{model: small}, {model: big}]
          algorithm: {type: latency_aware, latency_aware: {tpot_percentile: 50}}
entrypoints: [{model_names: [fast], recipe: fast}]
"""
    (tmp_path / "config.yaml").write_text(text)
    program = load(tmp_path / "config.yaml").program
    assert program.wanted is not None
    assert program.recipes["fast"].wanted == program.wanted
