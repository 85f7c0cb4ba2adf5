"""Sources that say less or more than the policy: recipes, labels, detectors that are off, output of this compiler."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from support.common import ROOT, call
from support.imports import HEAD, imported, places, policy_of
from vsr_compiler.cli.proof import UNDECIDED
from vsr_compiler.diagnostics import Severity
from vsr_compiler.importer import Options, import_files

LABELS = (
    HEAD
    + """\
  signals:
    user_feedbacks: [{name: wrong_answer}, {name: satisfied}]
    fact_check: [{name: needs_fact_check}]
  decisions:
    - name: repair
      rules:
        operator: AND
        conditions:
          - {type: user_feedback, name: wrong_answer}
          - {operator: NOT, conditions: [{type: fact_check, name: needs_fact_check}]}
      modelRefs: [{model: large, use_reasoning: false}]
"""
)
ATTACK = (
    HEAD
    + """\
  signals: {jailbreak: [{name: attack, method: classifier, threshold: 0.8}]}
  decisions:
    - name: block
      rules: {type: jailbreak, name: attack}
      plugins: [{type: fast_response, configuration: {message: no}}]
global: {model_catalog: {modules: {prompt_guard: {enabled: %s}}}}
"""
)
RECIPES = (
    HEAD.partition("routing:")[0]
    + """\
routing: {modelCards: [{name: small}, {name: large}]}
entrypoints:
  - {model_names: [fast], recipe: fast}
  - {model_names: [careful, slow], recipe: careful}
recipes:
  - name: fast
    routing:
      signals: {keywords: [{name: k, operator: OR, keywords: [urgent]}]}
      decisions: [{name: a, rules: {type: keyword, name: k}, modelRefs: [{model: small}]}]
  - name: careful
    routing:
      signals: {keywords: [{name: k, operator: OR, keywords: [proof]}]}
      decisions: [{name: a, rules: {type: keyword, name: k}, modelRefs: [{model: large, use_reasoning: true}]}]
"""
)
OUTPUT = ROOT / "out" / "quickstart" / "router"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A working folder."""
    monkeypatch.chdir(tmp_path)


def _proof(*arguments: str) -> tuple[int, dict[str, object]]:
    result = call("import", *arguments, "--report", "json")
    return result.exit_code, json.loads(result.stdout)["proof"]


def test_feedback_and_fact_checks_become_labels_of_classifiers_with_shipped_examples(tmp_path: Path) -> None:
    """They were lost, under NOT with an error. Each set is one classifier."""
    result = imported(tmp_path, LABELS)
    assert not result.failed
    policy = policy_of(result)
    assert policy["signals"]["needs_fact_check"] == {"label": {"classifier": "fact-check", "is": "needs_fact_check"}}
    feedback = policy["classifiers"]["feedback"]["examples"]
    assert feedback["wrong_answer"] == feedback["other"] == ["builtin:feedback@2"]
    assert "other" not in policy["classifiers"]["fact-check"]["examples"]
    assert [line for line, _ in places(result, "VSR563")] == [10]


def test_labels_of_the_source_and_of_its_import_are_equal() -> None:
    """And another label in the policy is found."""
    Path("config.yaml").write_text(LABELS, encoding="utf-8")
    assert _proof("config.yaml", "--prove")[1]["verdict"] == "equal"
    policy = Path("policy.yaml").read_text(encoding="utf-8")
    Path("policy.yaml").write_text(policy.replace("is: wrong_answer", "is: satisfied"), encoding="utf-8")
    assert _proof("config.yaml", "--against", "policy.yaml")[1]["verdict"] == "different"


def test_the_stock_router_has_its_own_classifiers(tmp_path: Path) -> None:
    """A policy for it cannot say which."""
    result = imported(tmp_path, LABELS, options=Options(engine="semantic-router"))
    assert "VSR522" in {item.code for item in result.findings}


@pytest.mark.parametrize(("enabled", "lines"), [("false", [14]), ("true", [])])
def test_a_detector_that_the_source_switches_off_is_reported(tmp_path: Path, enabled: str, lines: list[int]) -> None:
    """The policy protects where the source does not."""
    assert [line for line, _ in places(imported(tmp_path, ATTACK % enabled), "VSR560")] == lines


def test_objects_of_endpoint_pickers_are_reported(tmp_path: Path) -> None:
    """They were read and dropped in silence."""
    objects = """\
apiVersion: inference.networking.x-k8s.io/v1alpha2
kind: InferenceModel
metadata: {name: chat}
spec: {modelName: small, criticality: Critical, poolRef: {name: p}, targetModels: [{name: small-v2, weight: 100}]}
---
apiVersion: inference.networking.x-k8s.io/v1alpha2
kind: InferenceObjective
metadata: {name: batch}
spec: {priority: -1, poolRef: {name: p}}
"""
    result = imported(tmp_path, LABELS, objects)
    said = "the model `small`, criticality Critical, its targets `small-v2`"
    assert places(result, "VSR561") == [
        (3, f"InferenceModel `chat` is not carried over: {said}"),
        (8, "InferenceObjective `batch` is not carried over: priority -1"),
    ]


@pytest.mark.parametrize("recipe", ["fast", "careful"])
def test_each_recipe_is_proved_by_itself(recipe: str) -> None:
    """With the names that lead to it."""
    Path("config.yaml").write_text(RECIPES, encoding="utf-8")
    code, found = _proof("config.yaml", "--recipe", recipe, "--prove", "-o", "one.yaml")
    assert (code, found["verdict"]) == (0, "equal")
    policy = Path("one.yaml").read_text(encoding="utf-8")
    assert ("autoModels: [fast]" in policy) == (recipe == "fast")


def test_a_policy_of_another_recipe_is_different() -> None:
    """By its names, and by what it does."""
    Path("config.yaml").write_text(RECIPES, encoding="utf-8")
    assert call("import", "config.yaml", "--recipe", "careful").exit_code == 0
    code, found = _proof("config.yaml", "--against", "policy.yaml")
    assert (code, found["verdict"]) == (1, "different")
    assert _proof("config.yaml", "--recipe", "careful", "--against", "policy.yaml")[1]["verdict"] == "equal"


def test_nothing_is_proved_equal_of_a_source_that_the_import_lost_parts_of() -> None:
    """A second configuration is compared with nothing."""
    Path("config.yaml").write_text(LABELS, encoding="utf-8")
    Path("more.yaml").write_text(ATTACK % "true", encoding="utf-8")
    assert call("import", "config.yaml").exit_code == 0
    code, found = _proof("config.yaml", "more.yaml", "--against", "policy.yaml")
    assert (code, found["verdict"]) == (UNDECIDED, "undecided")
    assert "VSR522: a second configuration" in str(found["reason"])


def test_a_compiled_config_says_that_its_settings_are_elsewhere() -> None:
    """Clients and guards of a policy are not in the file that is imported."""
    (found,) = places(import_files([OUTPUT / "config.yaml"], Options()), "VSR562")
    assert "in `runtime.yaml`" in found[1]


def test_guards_beside_a_compiled_config_are_an_error(tmp_path: Path) -> None:
    """Limits and the like are warnings, what follows from the config is nothing."""
    folder = tmp_path / "router"
    folder.mkdir()
    (folder / "config.yaml").write_text((OUTPUT / "config.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    settings = "apiVersion: vsr.dev/v1alpha1\nkind: RuntimeSettings\npolicy: p\ndeadline: 9\nguards: {}\nrates: {}\n"
    (folder / "runtime.yaml").write_text(settings, encoding="utf-8")
    result = import_files([folder], Options())
    found = [(item.span.line, item.level) for item in result.findings if item.code == "VSR562"]
    assert found == [(5, Severity.ERROR), (6, Severity.WARNING)]


def test_output_for_the_stock_router_has_no_settings_elsewhere() -> None:
    """All of its policy is in the config."""
    config = ROOT / "tests" / "golden" / "stock-router" / "router" / "config.yaml"
    assert not places(import_files([config], Options()), "VSR562")


def test_a_policy_for_an_older_stock_router_has_the_names_that_it_knows() -> None:
    """Release 0.3.0 takes `auto` and one other."""
    Path("config.yaml").write_text(HEAD + "  decisions: [{name: a, modelRefs: [{model: large}]}]\n", encoding="utf-8")
    arguments = ("import", "config.yaml", "--engine", "semantic-router")
    assert call(*arguments, "--stock-release", "0.3.0").exit_code == 0
    policy = YAML(typ="safe").load(Path("policy.yaml"))
    assert policy["router"]["autoModels"] == ["auto", "MoM"]
    assert policy["gateway"]["versions"] == {"semantic-router": "0.3.0"}
    assert call("import", "config.yaml", "--stock-release", "0.3.0", "-o", "b.yaml").exit_code == 2
