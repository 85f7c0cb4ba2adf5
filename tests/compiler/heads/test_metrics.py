from __future__ import annotations

import numpy as np
import pytest

from vsr_compiler.heads.labelled_prompts import LabelledPrompt, read_labelled_prompts
from vsr_compiler.heads.metrics import EvalSubject, calibration_error, eval_report
from vsr_compiler.review.eval_text import markdown, text

LABELS = ("law", "math")
ROWS = np.array([[0.9, 0.05], [0.2, 0.7], [0.6, 0.3], [0.1, 0.2], [0.55, 0.1]])
CASES = [
    LabelledPrompt("a", "law", 1),
    LabelledPrompt("b", "math", 2),
    LabelledPrompt("c", "math", 3),
    LabelledPrompt("d", "other", 4),
    LabelledPrompt("e|f", "other", 5),
]


@pytest.fixture
def report():
    """Five prompts: two right, a confusion, one of no category that is left alone and one that is not."""
    return eval_report(CASES, LABELS, ROWS, EvalSubject("p", "encoder", "int8", 0.5), held_out=False)


def test_accuracy_is_what_a_client_would_see(report) -> None:
    """Right is the category at the threshold, and for other, none."""
    assert (report.accuracy, report.count) == (0.6, 5)
    assert list(report.model_dump())[:2] == ["accuracy", "count"]


def test_top1_asks_only_prompts_that_have_a_category(report) -> None:
    """Whatever the threshold."""
    assert (report.top1, report.top1_count) == (0.6667, 3)


def test_thresholds_trade_coverage_for_accuracy(report) -> None:
    """At 0.6 three are answered, two of them rightly, and both of other are left alone."""
    (row,) = [row for row in report.thresholds if row.threshold == 0.6]
    assert (row.coverage, row.accuracy, row.served) == (0.6, 0.6667, 0.8)


def test_false_alarms_are_prompts_of_no_category_that_get_one(report) -> None:
    """One of two at the threshold of serving, none at 0.6; without such prompts nothing is stated."""
    assert (report.false_alarms, report.none_count) == (0.5, 2)
    assert [row.false_alarms for row in report.thresholds if row.threshold in {0.5, 0.6}] == [0.5, 0.0]
    assert "50.0 % of 2 without a category get one" in text(report)
    known = eval_report(CASES[:3], LABELS, ROWS[:3], EvalSubject("p", "encoder", "int8", 0.5), held_out=False)
    assert (known.false_alarms, known.thresholds[0].false_alarms) == (None, None)
    assert "without a category" not in text(known)


def test_the_surest_prompts_come_first(report) -> None:
    """Of the surest 40 % both are right, and the second has 0.7."""
    row = report.coverages[0]
    assert (row.coverage, row.accuracy, row.threshold) == (0.4, 1.0, 0.7)


def test_categories_and_confusions_count_the_same_prompts(report) -> None:
    """Recall and precision by category, other among them; confusions are what is not on the diagonal."""
    by_name = {each.name: each for each in report.categories}
    assert (by_name["law"].count, by_name["law"].found, by_name["law"].right) == (1, 3, 1)
    assert (by_name["other"].recall, by_name["other"].precision) == (0.5, 1.0)
    assert [(each.category, each.found, each.count) for each in report.confusions] == [
        ("math", "law", 1),
        ("other", "law", 1),
    ]


def test_misses_come_with_their_lines_the_most_confident_first(report) -> None:
    """So that the example that is missing, or stands wrong, is seen first."""
    assert [(miss.line, miss.found, miss.probability) for miss in report.misses] == [(3, "law", 0.6), (5, "law", 0.55)]


def test_calibration_error_is_the_gap_between_sure_and_right() -> None:
    """Ten prompts at 0.75 of which half are right are off by a quarter; honest ones are not off."""
    top, half = np.full(10, 0.75), np.array([True, False] * 5)
    assert calibration_error(top, half) == 0.25
    assert calibration_error(np.full(4, 0.75), np.array([True, True, True, False])) == 0
    assert calibration_error(np.ones(3), np.ones(3, dtype=bool)) == 0


def test_both_forms_show_the_same_numbers(report) -> None:
    """A terminal's columns, and Markdown in which a prompt is no markup."""
    assert text(report).startswith("5 prompts: 60.0 % as served (threshold 0.5), 66.7 % of 3 by the likeliest category")
    assert "| 5 | other | law | 0.55 | e\\|f |" in markdown(report)
    assert "  5     other     law        0.55         e|f\n" in text(report)


def test_lines_become_cases_and_other_is_always_a_category() -> None:
    """Empty lines are passed over, and further keys are let be."""
    data = '{"prompt": "a", "category": "law", "id": 7}\n\n{"prompt": "b", "category": "other"}\r\n'
    assert read_labelled_prompts(data, "d", ["law"]) == (
        [LabelledPrompt("a", "law", 1), LabelledPrompt("b", "other", 3)],
        [],
    )


@pytest.mark.parametrize(
    ("line", "code", "column", "message"),
    [
        ('{"prompt": "a", "category": }', "VSR270", 29, "not JSON"),
        ("[1]", "VSR270", 1, "not a JSON object"),
        ('{"prompt": "a"}', "VSR270", 1, "no `category`"),
        ('{"category": "law", "prompt":  3}', "VSR270", 32, "`prompt` is not a non-empty text"),
        ('{"prompt": " ", "category": "law"}', "VSR270", 12, "`prompt` is not a non-empty text"),
        ('{"prompt": "a", "category": "lwa"}', "VSR271", 29, "category `lwa` is not defined"),
        ("[" * 100_000, "VSR270", 1, "too deep"),
    ],
)
def test_an_unusable_line_is_reported_with_its_position(line: str, code: str, column: int, message: str) -> None:
    """File, line and column, as for a policy."""
    cases, (found,) = read_labelled_prompts(f'{{"prompt": "a", "category": "law"}}\n{line}\n', "d.jsonl", ["law"])
    assert len(cases) == 1
    assert (found.code, found.span.file, found.span.line, found.span.column) == (code, "d.jsonl", 2, column)
    assert message in found.message


def test_data_without_lines_is_reported() -> None:
    """An empty file has no accuracy."""
    assert [found.code for found in read_labelled_prompts("\n \n", "d", ["law"])[1]] == ["VSR272"]
    assert [found.code for found in read_labelled_prompts("\n" * 100_001, "d", ["law"])[1]] == ["VSR005"]
