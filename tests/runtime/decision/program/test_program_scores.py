"""Numbers of signals: carried only where something reads them."""

from __future__ import annotations

import pytest

from vsr_runtime.decision.program.conditions import SignalCondition, SignalValues
from vsr_runtime.decision.program.program import Program
from vsr_runtime.decision.program.routes import PolicyRoute
from vsr_runtime.decision.signals.model_signals import ComplexitySignal, EmbeddingSignal, JailbreakSignal, ModelResults
from vsr_runtime.decision.signals.score import Score
from vsr_runtime.decision.view import RequestView

VIEW = RequestView("How do I integrate by parts?", 28, ("user",))
SIMILAR = EmbeddingSignal(("a", "b"), 0.5, mean=False)
HARD = ComplexitySignal(("a",), ("b",), "hard", 0.1)
ATTACK = JailbreakSignal("judge", 0.7, everywhere=False)
RESULTS = ModelResults({"a": 0.8, "b": 0.6}, {"judge": {VIEW.turn: 0.4}})
NAME = ("embedding", "maths")


def program(measured: frozenset[tuple[str, str]] = frozenset()) -> Program:
    """A program with one route, which needs one signal."""
    return Program(
        {}, (), (PolicyRoute("r", SignalCondition(NAME), ()),), "m", model_signals={NAME: SIMILAR}, measured=measured
    )


@pytest.mark.parametrize(
    ("signal", "score"),
    [
        (SIMILAR, Score(True, 0.8, 0.8)),  # noqa: FBT003 - as stored
        (EmbeddingSignal(("a", "b"), 0.75, mean=True), Score(False, 0.7, 0.7)),  # noqa: FBT003 - as stored
        (HARD, Score(True, 0.2, 0.2)),  # noqa: FBT003 - as stored
        (ATTACK, Score(False, 0.4, 0.4)),  # noqa: FBT003 - as stored
    ],
)
def test_models_give_numbers(signal, score):
    """The best or the mean cosine, the margin between hard and easy sentences, the highest probability."""
    found = signal.score(VIEW, RESULTS)
    assert found.holds is score.holds is signal.evaluate(VIEW, RESULTS)
    assert (found.value, found.confidence) == pytest.approx((score.value, score.confidence))


def test_missing_results_have_no_number():
    """A number of only some results would be wrong."""
    assert [signal.score(VIEW, ModelResults()) for signal in (SIMILAR, HARD, ATTACK)] == [None] * 3


def test_numbers_are_carried_for_measured_signals_only():
    """Without a reader no number is computed, and a signal without one has the stock router's default."""
    plain = program().with_model_results(SignalValues(), VIEW, RESULTS)
    assert (plain.scores, plain.confidence(NAME), plain.value(NAME)) == ({}, 1.0, 0.0)
    measured = program(frozenset({NAME})).with_model_results(SignalValues(), VIEW, RESULTS)
    assert (measured.confidence(NAME), measured.value(NAME)) == (0.8, 0.8)
    assert measured.matched == plain.matched == {NAME: True}


def test_later_signals_keep_the_numbers():
    """A decision adds signals one by one."""
    measured = program(frozenset({NAME})).with_model_results(SignalValues(), VIEW, RESULTS)
    assert measured.also(("keyword", "urgent"), holds=True).value(NAME) == 0.8
