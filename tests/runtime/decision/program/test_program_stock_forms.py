"""Stock configs as their users write them: optional sections, domains, and personal data that nothing here finds."""

from __future__ import annotations

import pytest

from support.common import reference
from vsr_runtime.decision.program.build_signals import category_labels
from vsr_runtime.errors import UserError
from vsr_runtime.settings import load
from vsr_schemas.pii import MODEL_TYPES
from vsr_schemas.routerconfig.v0_4_0 import MMLU_CATEGORIES, Domain

START = """version: v0.3
listeners: [{name: http, address: 0.0.0.0, port: 8899, timeout: 300s%s}]
providers:
  defaults: {model: small}
  models: [{name: small, backend_refs: [{name: a, provider: vllm, endpoint: "small.default:8000", weight: 100}]}]
routing:
  modelCards: [{name: small}]
  signals: %s
  decisions:
    - {name: all, description: all, priority: 1, rules: {operator: AND, conditions: []}, modelRefs: [{model: small}]}
"""


def _load(folder, listener="", signals="{}"):
    (folder / "config.yaml").write_text(START % (listener, signals))
    return load(folder / "config.yaml")


def test_the_starter_of_the_stock_command_line_loads(tmp_path):
    """It has listeners and no section `global`; then clients use the stock router's names for its choice."""
    program = _load(tmp_path).program
    assert program.auto_names == ("vllm-sr/auto", "auto", "MoM")


def test_keys_of_clients_at_a_stock_listener_are_refused(tmp_path):
    """The stock Envoy demands them; nothing here would."""
    with pytest.raises(UserError, match=r"listeners\[0\]\.api_keys: not supported"):
        _load(tmp_path, listener=", api_keys: [secret]")


@pytest.mark.parametrize("allowed", ["[]", "[EMAIL_ADDRESS, PHONE_NUMBER]"])
def test_personal_data_that_nothing_finds_is_refused(tmp_path, allowed):
    """A signal that denies names is no guard without a detector."""
    with pytest.raises(UserError, match=r"pii\[0\]: pii 'personal' denies .*PERSON.*detectors\.pii\.personal"):
        _load(tmp_path, signals=f"{{pii: [{{name: personal, threshold: 0.8, pii_types_allowed: {allowed}}}]}}")


def test_personal_data_that_patterns_find_needs_no_detector(tmp_path):
    """All types that only a model finds are allowed."""
    allowed = ", ".join(sorted(MODEL_TYPES))
    signals = f"{{pii: [{{name: personal, threshold: 0.8, pii_types_allowed: [{allowed}]}}]}}"
    assert ("pii", "personal") in _load(tmp_path, signals=signals).program.signals


@pytest.mark.parametrize("case", ["config.yaml", "only-names.yaml"])
def test_signals_that_deny_names_are_refused_as_given(case):
    """The cases of users."""
    with pytest.raises(UserError, match=r"denies .*PERSON"):
        load(reference() / "data/cases/parity/10-pii-signal-without-detector" / case)


@pytest.mark.parametrize("case", ["02-stock-starter-form", "03-colon-in-flow-scalar", "04-anchor"])
def test_forms_of_stock_configs_load_as_given(case):
    """The cases of users."""
    assert load(reference() / "data/cases/parity" / case / "config.yaml").program.routes


def _labels(*domains):
    rules = [Domain(name=name, description=name, mmlu_categories=labels) for name, labels in domains]
    found = category_labels(rules, frozenset(MMLU_CATEGORIES))
    return {name: sorted(labels) for name, labels in found.items()}


def test_a_domain_holds_for_its_own_name_and_for_what_it_lists():
    """A list adds to the name."""
    assert _labels(("business", ["economics"])) == {"business": ["business", "economics"]}


def test_a_name_that_is_no_category_holds_for_what_it_lists():
    """Such as a group of categories."""
    assert _labels(("stem", ["math", "physics"])) == {"stem": ["math", "physics"]}


def test_a_category_that_another_domain_lists_means_that_domain():
    """The last domain that has it wins, and a domain that lists a name holds for what means it."""
    assert _labels(("economics", None), ("business", ["economics"])) == {
        "economics": [],
        "business": ["business", "economics"],
    }
    assert _labels(("business", ["economics"]), ("economics", None)) == {
        "business": ["business", "economics"],
        "economics": ["economics"],
    }
