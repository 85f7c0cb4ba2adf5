"""A policy's heads: what they are called, what the runtime is told, and which examples are weak."""

from __future__ import annotations

import pytest

from support.common import SMALL, linked
from vsr_compiler.diagnostics import CompileError
from vsr_compiler.heads.compile import compile_heads
from vsr_runtime.inference.errors import ModelError
from vsr_runtime.inference.head_file import head_metadata

MISPLACED = "Prove that the square root of two is irrational."
TEXT = SMALL.replace(
    'examples: ["Is the contract valid?", "Who can sue?"]',
    'examples: ["Is the contract valid?", "Who can sue?", "What is a tort?", "Can a verbal agreement be enforced?", '
    f'"Which court hears appeals?", "{MISPLACED}"]',
).replace(
    'examples: ["Solve x + 1 = 2.", "Integrate x^2."]',
    'examples: ["Solve x + 1 = 2.", "Integrate x^2.", "Prove that there are infinitely many primes.", '
    '"Prove that the square root of three is irrational.", "What is the derivative of sin(x)?"]',
)


@pytest.mark.usefixtures("encoder")
def test_an_example_of_another_category_is_reported_at_its_line() -> None:
    """VSR237: the classifier, trained without it, takes it for another category."""
    heads = compile_heads(linked(TEXT), lambda _: None, rebuild=False)
    column = TEXT.splitlines()[12].index(f'"{MISPLACED}"') + 1
    (item,) = (each for each in heads.warnings if (each.span.line, each.span.column) == (13, column))
    assert (item.code, item.span.line, item.level.word) == ("VSR237", 13, "warning")
    assert item.message == "without this example, the classifier would assign it to `math`"


@pytest.mark.usefixtures("encoder")
def test_a_reused_head_reports_no_examples() -> None:
    """They were told when it was trained."""
    policy = linked(TEXT)
    first = compile_heads(policy, lambda _: None, rebuild=False)
    again = compile_heads(policy, lambda name: first.files[name], rebuild=False)
    assert (again.files, again.classifiers, again.warnings) == (first.files, first.classifiers, ())


@pytest.mark.usefixtures("encoder")
def test_the_runtime_settings_describe_the_head() -> None:
    """Labels, hash and threshold come from the head's own file; the threshold may be the policy's."""
    text = TEXT + "classifiers: {main: {task: category, threshold: 0.4}}\n"
    heads = compile_heads(linked(text), lambda _: None, rebuild=False)
    known = heads.classifiers["main"]
    assert list(heads.files) == ["main.safetensors"]
    assert known.labels == ["law", "math"]
    assert known.fallback is None
    assert known.threshold == 0.4
    assert known.head.inputs == head_metadata(heads.files["main.safetensors"])["inputs"]


def test_a_policy_without_categories_has_no_head() -> None:
    """Nothing is trained, and no encoder is asked for."""
    text = "\n".join(line for line in SMALL.splitlines()[:10]) + "\ndefault: big\n"
    heads = compile_heads(linked(text), lambda _: None, rebuild=False)
    assert (heads.files, heads.classifiers) == ({}, {})


def test_an_encoder_that_is_not_there_is_a_finding(monkeypatch) -> None:
    """VSR506, at the classifier's place, in the words of whoever looked for it."""

    def missing(*_arguments, **_options):
        raise ModelError("the encoder is not on this machine")

    monkeypatch.setattr("vsr_compiler.heads.compile.compile_head", missing)
    with pytest.raises(CompileError) as caught:
        compile_heads(linked(), lambda _: None, rebuild=False)
    (item,) = caught.value.diagnostics
    assert (item.code, item.message) == ("VSR506", "the encoder is not on this machine")
