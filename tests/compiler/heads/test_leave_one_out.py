from __future__ import annotations

import pytest

from vsr_compiler.heads.inputs import OTHER, CategoryExamples
from vsr_compiler.heads.leave_one_out import leave_one_out_report

MISPLACED = "Can a tenant be evicted by a court without notice?"


@pytest.fixture(scope="module")
def report(categories, encoder):
    """The report of four subjects, where one example of law stands in the category history."""
    moved = [
        CategoryExamples(c.name, c.description, (*c.examples, MISPLACED)) if c.name == "history" else c
        for c in categories
    ]
    return leave_one_out_report(moved, encoder)


def test_misplaced_example_is_found(report):
    """An example that stands in the wrong category is named, with the category that it looks like."""
    weak = next(weak for weak in report.weak_examples if weak.text == MISPLACED)
    assert (weak.category, weak.found) == ("history", "law")
    assert weak.probability < 0.3
    assert ("history", "law", 1) in report.confusions


def test_numbers_agree(report):
    """Accuracy, weak_examples and confusions count the same examples."""
    assert report.count == 33
    assert report.accuracy == pytest.approx(1 - len(report.weak_examples) / 33)
    assert sum(count for _, _, count in report.confusions) == len(report.weak_examples)
    assert all(given != found for given, found, _ in report.confusions)


def test_accuracy_is_plausible(report):
    """Four subjects that lie apart are mostly told apart without the example in question."""
    assert 0.7 < report.accuracy < 1


def test_worst_first(report):
    """Strays come least likely first, confusions most frequent first."""
    assert [s.probability for s in report.weak_examples] == sorted(s.probability for s in report.weak_examples)
    counts = [count for _, _, count in report.confusions]
    assert counts == sorted(counts, reverse=True)


def test_only_examples_are_judged(encoder, categories):
    """Names, descriptions and the examples of other are not counted."""
    rest = CategoryExamples(OTHER, "Everything else", ("Hi!", "Recipe for soup"))
    assert leave_one_out_report([*categories, rest], encoder).count == 32


def test_single_example(encoder):
    """A category whose name is all that is left without its example can still be judged."""
    report = leave_one_out_report([CategoryExamples("mathematics", "", ("mathematics exercises",))], encoder)
    assert report.count == 1
    assert report.accuracy in (0.0, 1.0)
