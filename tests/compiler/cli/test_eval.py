from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.common import SMALL, call
from vsr_schemas.reports_eval import EvalReport

DATA = """\
{"prompt": "Solve x + 1 = 2.", "category": "math"}
{"prompt": "Is the contract valid?", "category": "law"}
"""

ENGINE = "router: {engine: semantic-router, deadline: 5s}"


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    """A policy with the categories math and law."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A prompt of each category."""
    path = tmp_path / "data.jsonl"
    path.write_text(DATA, encoding="utf-8")
    return path


@pytest.mark.usefixtures("encoder")
def test_data_is_judged_by_the_head_as_served(policy: Path, data: Path, tmp_path: Path) -> None:
    """JSON has accuracy and count at its top; nothing is written."""
    before = sorted(path.name for path in tmp_path.iterdir())
    result = call("eval", str(policy), str(data), "--out", str(tmp_path / "out"), "--format", "json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert list(report)[:2] == ["accuracy", "count"]
    assert report["count"] == 2
    assert report["top1"] == 1
    EvalReport.model_validate(report)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.usefixtures("encoder")
def test_without_data_the_examples_are_judged_by_heads_that_have_not_seen_them(policy: Path, tmp_path: Path) -> None:
    """The report of a policy's own examples: names and descriptions are none."""
    result = call("eval", str(policy), "--out", str(tmp_path / "out"), "--format", "json")
    report = EvalReport.model_validate_json(result.stdout)
    assert (report.method, report.count, report.precision) == ("held-out", 4, "int8")


@pytest.mark.usefixtures("encoder")
def test_a_misclassified_example_is_reported_with_its_policy_line(policy: Path, tmp_path: Path) -> None:
    """So that it is found among hundreds."""
    text = SMALL.replace('"Who can sue?"]', '"Who can sue?",\n    "Integrate x^3."]')
    policy.write_text(text, encoding="utf-8")
    result = call("eval", str(policy), "--out", str(tmp_path / "out"), "--format", "json")
    misses = {each.prompt: each.line for each in EvalReport.model_validate_json(result.stdout).misses}
    assert misses["Integrate x^3."] == text.splitlines().index('    "Integrate x^3."]}') + 1


@pytest.mark.usefixtures("encoder")
@pytest.mark.parametrize(("form", "begins"), [("text", "2 prompts: "), ("markdown", "### Categories of small\n")])
def test_people_get_tables(policy: Path, data: Path, tmp_path: Path, form: str, begins: str) -> None:
    """For a terminal and for a comment."""
    result = call("eval", str(policy), str(data), "--out", str(tmp_path / "out"), "--format", form)
    assert result.stdout.startswith(begins)


def test_invalid_lines_are_reported_and_nothing_is_measured(policy: Path, data: Path) -> None:
    """Accuracy over the rest would be somebody's wrong number."""
    data.write_text(DATA + '{"prompt": "x", "category": "lwa"}\n', encoding="utf-8")
    result = call("eval", str(policy), str(data))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert f"{data}:3:29: error VSR271: category `lwa` is not defined" in result.stderr
    assert "Did you mean `law`?" in result.stderr


def test_a_policy_without_categories_has_nothing_to_evaluate(policy: Path) -> None:
    """It says so, and where."""
    lines = [line for line in SMALL.splitlines() if "math" not in line and "law" not in line]
    text = "\n".join(lines).replace("categories:\n", "").replace("routes:\n", "")
    policy.write_text(text.replace("    model: little\n", ""), encoding="utf-8")
    result = call("eval", str(policy))
    assert result.exit_code == 1
    assert "VSR272" in result.stderr


def test_unreadable_data_is_reported(policy: Path, tmp_path: Path) -> None:
    """As for a policy."""
    result = call("eval", str(policy), str(tmp_path / "none.jsonl"))
    assert result.exit_code == 1
    assert "VSR001" in result.stderr


def test_the_stock_router_is_not_measured_by_a_head_that_it_does_not_serve(policy: Path) -> None:
    """Numbers about another classifier would be believed."""
    policy.write_text(SMALL.replace('router: {image: "registry.example/vsr-runtime:0.1.0"}', ENGINE), encoding="utf-8")
    result = call("eval", str(policy))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "VSR272: semantic-router classifies with models of its own" in result.stderr


LABELS = (
    SMALL
    + """\
classifiers:
  tone:
    task: labels
    examples:
      angry: ["Do it now, or else!", "This is a scandal.", "I am furious about this.", "You useless machine!"]
      other: ["What is a noun?", "Who is Kant?", "Sort this list.", "Plan a trip to Rome."]
signals: {angry: {label: {classifier: tone, is: angry}}}
"""
)


@pytest.mark.usefixtures("encoder")
def test_a_head_of_another_task_states_its_false_alarms(policy: Path, tmp_path: Path) -> None:
    """Its examples are judged by heads without their topics, and the share of those without a label is stated."""
    policy.write_text(LABELS, encoding="utf-8")
    out = str(tmp_path / "out")
    result = call("eval", str(policy), "--classifier", "tone", "--out", out, "--format", "json")
    report = EvalReport.model_validate_json(result.stdout)
    assert (report.method, report.classifier, report.count, report.none_count) == ("held-out", "tone", 8, 4)
    assert report.false_alarms == 0
    assert next(row.false_alarms for row in report.thresholds) == 1
    shown = call("eval", str(policy), "--classifier", "tone", "--out", out)
    assert "0.0 % of 4 without a label get one" in shown.stdout
    assert "false alarms" in shown.stdout


@pytest.mark.usefixtures("encoder")
def test_labelled_data_is_judged_by_a_head_of_another_task(policy: Path, tmp_path: Path) -> None:
    """Its lines have a label; one that the head does not have is an error at its line."""
    policy.write_text(LABELS, encoding="utf-8")
    data = tmp_path / "tone.jsonl"
    data.write_text('{"prompt": "I am furious!", "label": "angry"}\n{"prompt": "Hello.", "label": "other"}\n')
    result = call("eval", str(policy), str(data), "--classifier", "tone", "--out", str(tmp_path), "--format", "json")
    report = EvalReport.model_validate_json(result.stdout)
    assert (report.method, report.count, report.top1) == ("data", 2, 1)
    data.write_text('{"prompt": "I am furious!", "label": "anger"}\n{"prompt": "No label."}\n')
    result = call("eval", str(policy), str(data), "--classifier", "tone", "--out", str(tmp_path))
    assert result.exit_code == 1
    assert ":1:38: error VSR271: label `anger` is not defined" in result.stderr
    assert ":2:1: error VSR270: the line has no `label`" in result.stderr


def test_only_a_head_with_examples_of_its_own_can_be_named(policy: Path) -> None:
    """The others are listed."""
    policy.write_text(LABELS, encoding="utf-8")
    result = call("eval", str(policy), "--classifier", "domain")
    assert "VSR272: no classifier `domain` has `examples`" in result.stderr
    assert "Heads with examples of their own: tone." in result.stderr
