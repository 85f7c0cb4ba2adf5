"""Parts of a stock config that the runtime does not execute: left out if nothing changes, else refused by name."""

from __future__ import annotations

import pytest
import yaml

from vsr_runtime.errors import UserError
from vsr_runtime.settings import load
from vsr_schemas.routerconfig import stock_decisions as stock

START = """version: v0.3
providers:
  defaults: {model: small}
  models: [{name: small, backend_refs: [{name: a, endpoint: "small.default:8000"}]}]
routing:
  modelCards: [{name: small}]
  signals: {keywords: [{name: urgent, operator: OR, keywords: [urgent]}]}
  decisions: [{name: all, priority: 1, rules: {type: keyword, name: urgent}, modelRefs: [{model: small}]}]
"""
CACHE = {"type": "response_cache", "configuration": {"enabled": True, "mode": "exact"}}


def loaded(folder, model=None, **changes):
    """The settings of a config with a changed decision and model."""
    document = yaml.safe_load(START)
    document["routing"]["decisions"][0].update(changes)
    document["providers"]["models"][0].update(model or {})
    (folder / "config.yaml").write_text(yaml.safe_dump(document))
    return load(folder / "config.yaml")


def plugin(kind, *, enabled=True):
    """A plugin of a decision."""
    return {"type": kind, "configuration": {"enabled": enabled}}


@pytest.mark.parametrize("kind", sorted(stock.PLUGINS_IGNORED))
def test_a_plugin_that_changes_nothing_is_left_out_and_named(tmp_path, kind):
    """What is left out is in the settings, with the reason, so that it can be logged."""
    settings = loaded(tmp_path, plugins=[plugin(kind), CACHE])
    assert settings.ignored == (f"routing.decisions[0].plugins[0]: {kind}: {stock.PLUGINS_IGNORED[kind]}",)
    assert settings.program.caches_responses


@pytest.mark.parametrize("kind", sorted(stock.PLUGINS_REFUSED))
def test_a_plugin_that_changes_responses_is_refused_unless_it_is_off(tmp_path, kind):
    """A guard of responses above all."""
    with pytest.raises(UserError, match=rf"decisions\[0\]\.plugins\[0\]: {kind} is not executed here"):
        loaded(tmp_path, plugins=[plugin(kind)])
    assert f"{kind} is switched off" in loaded(tmp_path, plugins=[plugin(kind, enabled=False)]).ignored[0]


@pytest.mark.parametrize("value", [None, "no", 0, []])
def test_only_false_switches_a_plugin_off(tmp_path, value):
    """A guard that is not clearly off is refused."""
    with pytest.raises(UserError, match="response_jailbreak is not executed here"):
        loaded(tmp_path, plugins=[{"type": "response_jailbreak", "configuration": {"enabled": value}}])


@pytest.mark.parametrize("name", sorted(stock.ALGORITHMS_REFUSED))
def test_an_algorithm_is_refused_by_its_name_with_the_reason(tmp_path, name):
    """And with what can be used instead."""
    refs = [{"model": "small"}, {"model": "large"}]
    with pytest.raises(UserError, match=rf"algorithm: {name} is not executed here: .*; use static, or a split"):
        loaded(tmp_path, algorithm={"type": name, name: {}}, modelRefs=refs)


@pytest.mark.parametrize("name", sorted(stock.ALGORITHMS_REFUSED))
def test_an_algorithm_with_one_model_has_nothing_to_choose(tmp_path, name):
    """One that asks several models, or a model which one to ask, does more than choose."""
    if name not in stock.SELECTORS:
        with pytest.raises(UserError, match=f"{name} is not executed here"):
            loaded(tmp_path, algorithm={"type": name})
        return
    settings = loaded(tmp_path, algorithm={"type": name, "minimum_candidates": 1})
    assert settings.ignored == (f"routing.decisions[0].algorithm: {name} has one model to choose from",)
    assert [target.name for target, _ in settings.program.routes[0].targets] == ["small"]
    with pytest.raises(UserError, match=f"{name} is not executed here"):
        loaded(tmp_path, algorithm={"type": name, "minimum_candidates": 2})


@pytest.mark.parametrize(
    ("field", "on", "off"),
    [
        ("request_controls", {"enabled": True}, {"enabled": False}),
        ("allow_request_controls", True, False),
        ("personalized", {"allow_exact": True}, {"enabled": False}),
        ("revision", {"value": "a"}, None),
    ],
)
def test_a_cache_that_tells_requests_apart_in_other_ways_is_refused(tmp_path, field, on, off):
    """Otherwise clients could get responses that they must not get."""
    with pytest.raises(UserError, match=rf"plugins\[0\]\.configuration\.{field}: .*remove it"):
        loaded(tmp_path, plugins=[{**CACHE, "configuration": {**CACHE["configuration"], field: on}}])
    without = {**CACHE, "configuration": {**CACHE["configuration"], field: off}}
    assert loaded(tmp_path, plugins=[without]).program.caches_responses


@pytest.mark.parametrize("kind", sorted(stock.CONDITIONS_REFUSED))
def test_a_condition_that_is_not_executed_is_refused_wherever_it_is(tmp_path, kind):
    """Below other conditions, too."""
    leaf = {"type": kind, "name": "x", **({"label": "attack"} if kind == "classifier" else {})}
    rules = {"operator": "OR", "conditions": [{"operator": "NOT", "conditions": [leaf]}]}
    with pytest.raises(UserError, match=rf"conditions\[0\]\.conditions\[0\]: conditions of type {kind} are not"):
        loaded(tmp_path, rules=rules)


@pytest.mark.parametrize("rules", [{}, {"operator": "AND"}, {"operator": " and ", "conditions": []}])
def test_empty_rules_always_hold(tmp_path, rules):
    """In the forms that the stock tools read."""
    (route,) = loaded(tmp_path, rules=rules).program.routes
    assert route.condition.parts == ()


def test_unknown_signals_fail_a_request_as_the_config_says(tmp_path):
    """Signals of the request alone are never unknown, so nothing else matters for them."""
    for word in ("fail_request", "no_match", "match"):
        assert loaded(tmp_path, rules={"type": "keyword", "name": "urgent", "on_unknown": word}).program.routes


def test_on_unknown_below_the_root_is_refused(tmp_path):
    """As the stock tools do."""
    leaf = {"type": "keyword", "name": "urgent", "on_unknown": "match"}
    with pytest.raises(UserError, match="on_unknown is for the root of the rules"):
        loaded(tmp_path, rules={"operator": "AND", "conditions": [leaf]})
