from __future__ import annotations

import pytest

from support.common import ROOT
from support.runtime_fakes import DATA
from vsr_runtime.decision.guards.normalise import _changing
from vsr_runtime.decision.program.conditions import SignalValues
from vsr_runtime.decision.program.evaluation import decide
from vsr_runtime.decision.view import RequestView
from vsr_runtime.errors import UserError
from vsr_runtime.files import OUR_HEADER
from vsr_runtime.settings import DEFAULT_MAX_BODY, build_settings, decision_timeout, load
from vsr_schemas.runtime import FRAME_BYTES, LimitSettings


def replace(path, old, new):
    """Change a text that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_sample_policy_loads():
    """Both files together give the program, the limits and the classifier that a route asks for."""
    settings = load(DATA / "router" / "config.yaml")
    assert settings.program.needs == {"category"}
    assert settings.limits == LimitSettings(maxBody=262144, maxMessage=327680)
    assert settings.decision_timeout == 18.0
    assert settings.classifier.labels == ["math", "computer science"]
    assert settings.folder == DATA / "router"


def test_compiled_config_without_its_runtime_yaml_is_refused(policy):
    """Its categories are those of the policy's own examples, not those of the head that ships with the runtime."""
    (policy / "router" / "runtime.yaml").unlink()
    config = policy / "router" / "config.yaml"
    config.write_text(f"{OUR_HEADER}\n{config.read_text()}")
    with pytest.raises(UserError, match=r"domains\[0\]: domain 'math' needs 'math', which no classifier"):
        load(config)


def test_without_runtime_yaml_safe_defaults_hold(policy):
    """A config without signals needs nothing else: one second, 8 MiB, no classifier."""
    (policy / "router" / "runtime.yaml").unlink()
    config = policy / "router" / "config.yaml"
    text = config.read_text()
    start, end = text.index("  signals:"), text.index("global:")
    config.write_text(text[:start] + text[end:])
    settings = load(config)
    assert settings.limits == LimitSettings(maxBody=DEFAULT_MAX_BODY, maxMessage=DEFAULT_MAX_BODY + FRAME_BYTES)
    assert (settings.decision_timeout, settings.classifier, settings.program.needs) == (0.9, None, frozenset())


def test_classifier_that_no_route_asks_for_is_not_loaded(policy):
    """Without a route by category there is no classifier to load."""
    config = policy / "router" / "config.yaml"
    replace(config, "conditions: [{type: domain, name: math}]", "conditions: []")
    assert load(config).classifier is None


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("routing:", "plugins: {}\nrouting:", "plugins: not supported; remove it"),
        ("  decisions:", "  emits: []\n  decisions:", "routing.emits: not supported"),
        ("type: domain", "type: mood", "routing.decisions[0].rules.conditions[0].type: Input should"),
        ("type: domain", "type: kb", "rules.conditions[0]: conditions of type kb are not executed here (knowledge"),
        ("type: domain", "type: keyword", "routing.decisions[0].rules: keyword 'math' is not defined"),
        (
            "modelRefs:",
            "plugins: [{type: tools, configuration: {mode: x}}]\n      modelRefs:",
            "routing.decisions[0].plugins[0].configuration.mode: Input should",
        ),
        ("modelRefs:", "plugins: [{type: rag}]\n      modelRefs:", "decisions[0].plugins[0]: rag is not executed here"),
        ("modelRefs:", "plugins: [{type: x}]\n      modelRefs:", "routing.decisions[0].plugins[0]: Input tag 'x'"),
        ("operator: AND", "operator: XOR", "routing.decisions[0].rules.operator: Input should"),
        ("{type: domain,", "{type: domain, on_error: match,", "rules.conditions[0].on_error: not supported"),
        ("operator: AND", "operator: AND, on_unknown: no_match", "on_unknown: no_match is not executed for signals"),
        ("{type: domain,", "{on_unknown: match, type: domain,", "rules: on_unknown is for the root of the rules"),
        ("priority: 100", "priority: high", "routing.decisions[0].priority: Input should"),
        ("priority: 100", "priority: true", "routing.decisions[0].priority: Input should"),
        ("version: v0.3", "version: v0.4", "version: Input should be 'v0.3'"),
        ("global:", "global: {}\nglobal:", "config.yaml:25:1: found duplicate key"),
        ("auto_model_names: [auto, MoM]", "auto_model_names: [auto, 1]", "auto_model_names[1]: Input should"),
    ],
)
def test_config_that_is_not_executed_is_refused_by_name(policy, old, new, message):
    """Whatever the contract does not hold is one line with the place in the file's own words."""
    config = policy / "router" / "config.yaml"
    replace(config, old, new)
    with pytest.raises(UserError) as error:
        load(config)
    assert message in str(error.value)
    assert "Node" not in str(error.value)
    assert "Leaf" not in str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("deadline: 20000", "deadline: 20", "runtime.yaml: deadline: 20 ms leaves no time"),
        ("deadline: 20000", "deadline: 0", "runtime.yaml: deadline: Input should be greater than 0"),
        ("maxMessage: 327680", "maxMessage: 262144", "limits.maxMessage: must exceed limits.maxBody"),
        ("labels: [math, computer science]", "labels: [math, math]", "classifiers.domain.labels: must not be empty"),
        ("labels: [math, computer science]", "labels: []", "classifiers.domain.labels: must not be empty"),
        (
            "threshold: 0.3",
            "threshold: 0.3\n    fallback: math",
            "classifiers.domain.fallback: must not be one of the labels",
        ),
        ("file: domain.safetensors", "file: ../domain.safetensors", "classifiers.domain.head.file: String should"),
        ("policy: sample", "policy: sample\ncaches: {}", "runtime.yaml: caches: not supported"),
    ],
)
def test_settings_that_cannot_hold_are_refused(policy, old, new, message):
    """Impossible or unknown settings are errors of runtime.yaml, by name."""
    replace(policy / "router" / "runtime.yaml", old, new)
    with pytest.raises(UserError) as error:
        load(policy / "router" / "config.yaml")
    assert message in str(error.value)


def test_fallback_is_a_category_that_routes_may_ask_for(policy):
    """The category of what is like none of the others counts as known, and is what such a request has."""
    replace(policy / "router" / "runtime.yaml", "threshold: 0.3", "threshold: 0.3\n    fallback: other")
    replace(
        policy / "router" / "config.yaml",
        "{name: math, description: Mathematics, mmlu_categories: [math]}",
        "{name: math, description: Mathematics, mmlu_categories: [other]}",
    )
    program = load(policy / "router" / "config.yaml").program
    view = RequestView("hello")
    assert decide(program, view, program.with_category(SignalValues(), None, 0.1)).route.name == "math"
    assert decide(program, view, program.with_category(SignalValues(), "law", 0.9)).route is None


def test_splits_are_the_settings(policy):
    """Shares of a decision's models come from runtime.yaml."""
    replace(policy / "router" / "runtime.yaml", "policy: sample", "policy: sample\nsplits: {math: {phi4-mini: 100}}")
    assert load(policy / "router" / "config.yaml").program.routes[0].targets[0][1] == 100
    replace(policy / "router" / "runtime.yaml", "phi4-mini: 100", "phi4-mini: 99")
    with pytest.raises(UserError, match=r"runtime\.yaml: splits\.math: the shares must add up to 100"):
        load(policy / "router" / "config.yaml")


def test_second_classifier_is_refused(policy):
    """Nothing says which of two classifiers would answer, so only one is taken."""
    path = policy / "router" / "runtime.yaml"
    text = path.read_text()
    path.write_text(text + text[text.index("  domain:") :].replace("domain:", "other:", 1))
    with pytest.raises(UserError, match="classifiers: only one classifier of the task category"):
        load(policy / "router" / "config.yaml")


@pytest.mark.parametrize(("deadline", "seconds"), [(1000, 0.9), (200, 0.18), (100, 0.08), (21, 0.001), (5000, 4.5)])
def test_budget_is_the_deadline_less_its_margin(deadline, seconds):
    """A tenth of the deadline, at least 20 ms, is kept for the way back to the gateway."""
    assert decision_timeout(deadline) == seconds


@pytest.mark.parametrize(
    ("action", "on", "more", "message"),
    [
        ("block", "request", "exempt: [nobody], types: [URL]", "guards.g.exempt: config.yaml has no model 'nobody'"),
        ("route", "request", "types: [URL]", "guards.g.model: is required by"),
        ("route", "both", "types: [URL], model: phi4-mini", "guards.g.on: only a request can be routed"),
        ("flag", "request", "types: [URL], unmask: true", "guards.g.unmask: only restores what was masked"),
        ("block", "request", "detector: nobody", "guards.g.detector: no detector 'nobody' is loaded"),
        ("block", "request", "exempt: []", "guards.g: searches for nothing"),
        ("block", "request", 'patterns: ["("]', "guards.g: "),
    ],
)
def test_guards_that_cannot_hold_are_refused(policy, action, on, more, message):
    """By name, at start: a guard that is passed over would seem to hold."""
    guard = f"threshold: 0.7, onError: block, unreadable: block, maxTokens: 9, action: {action}, 'on': {on}, {more}"
    replace(policy / "router" / "runtime.yaml", "policy: sample", f"policy: sample\nguards: {{g: {{{guard}}}}}")
    with pytest.raises(UserError) as error:
        load(policy / "router" / "config.yaml")
    assert message in str(error.value)


@pytest.mark.parametrize(("folder", "tables"), [("guards", 2), ("minimal", 0)])
def test_tables_of_guards_are_built_when_the_server_loads_them(tmp_path, folder, tables):
    """No request waits for them, in any process of the server; a policy without guards needs none."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "api-key").write_text("key")
    _changing.cache_clear()
    loaded = load(ROOT / "out" / folder / "router" / "config.yaml", tmp_path)
    assert _changing.cache_info().currsize == tables
    _changing.cache_clear()
    build_settings(loaded.source)
    assert _changing.cache_info().currsize == tables
