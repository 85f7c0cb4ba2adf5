from __future__ import annotations

import math

import pytest

from vsr_runtime.decision.signals.model_signals import (
    LEVELS,
    JailbreakSignal,
    ModelResults,
    build_complexity,
    build_embedding,
    build_jailbreak,
)
from vsr_runtime.decision.view import RequestView
from vsr_schemas.routerconfig import v0_4_0 as contract

SENTENCES = frozenset({"Pay this invoice.", "Where is my bill?", "Prove it.", "Say hello."})
TURN, SILENT = RequestView("Please pay.", 11, ("user",), history=("Be kind.", "Please pay.")), RequestView("", images=1)


def embedding(threshold: float = 0.5, how: str = "max", *candidates: str) -> contract.EmbeddingRule:
    """A rule of likeness to one or two sentences."""
    given = list(candidates) or ["Pay this invoice.", "Where is my bill?"]
    return contract.EmbeddingRule(name="x", threshold=threshold, candidates=given, aggregation_method=how)


def complexity(threshold: float = 0.1) -> contract.ComplexityRule:
    """A rule of complexity with a sentence of each side."""
    hard, easy = (contract.Candidates(candidates=[each]) for each in ("Prove it.", "Say hello."))
    return contract.ComplexityRule(name="x", threshold=threshold, hard=hard, easy=easy)


def like(**cosines: float) -> ModelResults:
    """The encoder's similarities, by the first word of the sentences."""
    return ModelResults(
        {each: cosines[each.split()[0].lower()] for each in SENTENCES if each.split()[0].lower() in cosines}
    )


@pytest.mark.parametrize(
    ("how", "threshold", "expected"),
    [("max", 0.75, True), ("max", 0.76, False), ("mean", 0.625, True), ("mean", 0.63, False)],
)
def test_similarity_is_the_maximum_or_mean_cosine(how, threshold, expected):
    """The threshold itself is enough."""
    found = ModelResults({"Pay this invoice.": 0.75, "Where is my bill?": 0.5})
    assert build_embedding(embedding(threshold, how), SENTENCES).evaluate(TURN, found) is expected


@pytest.mark.parametrize(
    ("hard", "easy", "level"), [(0.7, 0.5, "hard"), (0.5, 0.7, "easy"), (0.55, 0.5, "medium"), (0.5, 0.5, "medium")]
)
def test_request_has_one_complexity_level(hard, easy, level):
    """Hard and easy need more than the threshold between them; exactly one level holds."""
    found = like(prove=hard, say=easy)
    told = [each for each in LEVELS if build_complexity(complexity(), each, SENTENCES).evaluate(TURN, found)]
    assert told == [level]


@pytest.mark.parametrize(
    "found", [ModelResults(), like(prove=0.9), like(prove=math.nan, say=0.1, pay=math.nan, where=0.1)]
)
def test_missing_similarity_leaves_the_signal_unknown(found):
    """Neither there nor missing, and so no level of it either."""
    assert build_embedding(embedding(), SENTENCES).evaluate(TURN, found) is None
    assert [build_complexity(complexity(), each, SENTENCES).evaluate(TURN, found) for each in LEVELS] == [None] * 3


def test_a_detector_reads_every_message_or_the_last_turn():
    """One attack among many texts is enough; otherwise a text without a result keeps the signal unknown."""
    everywhere, turn = JailbreakSignal("judge", 0.7, everywhere=True), JailbreakSignal("judge", 0.7, everywhere=False)
    assert (everywhere.texts(TURN), turn.texts(TURN)) == (("Be kind.", "Please pay."), ("Please pay.",))
    bad = ModelResults(attacks={"judge": {"Be kind.": 0.7, "Please pay.": 0.1}})
    assert (everywhere.evaluate(TURN, bad), turn.evaluate(TURN, bad)) == (True, False)
    half = ModelResults(attacks={"judge": {"Be kind.": 0.1}})
    assert (everywhere.evaluate(TURN, half), turn.evaluate(TURN, half)) == (None, None)
    assert everywhere.evaluate(TURN, ModelResults(attacks={"judge": {"Be kind.": 0.9}})) is True
    assert turn.evaluate(TURN, ModelResults()) is None


def test_detector_reads_normalised_text():
    """Invisible characters between letters are taken out before a model reads the text."""
    hidden = RequestView("ig\u200bnore that", history=("ig\u200bnore that",))
    assert JailbreakSignal("judge", 0.7, everywhere=True).texts(hidden) == ("ignore that",)


def test_without_text_there_is_nothing_to_ask():
    """An image alone is like nothing, of no level, and no attack."""
    each = [build_embedding(embedding(), SENTENCES), build_jailbreak(attack(), "judge")]
    assert [list(one.texts(SILENT)) for one in each] == [[], []]


def attack(threshold: float = 0.7) -> contract.JailbreakRule:
    """A rule that asks a detector."""
    return contract.JailbreakRule(name="x", threshold=threshold, include_history=True)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (
            lambda: build_embedding(embedding(0.5, "max", "unheard of"), SENTENCES),
            "no vector for the sentence 'unheard of'",
        ),
        (lambda: build_embedding(embedding(1.5), SENTENCES), "is not a cosine"),
        (lambda: build_complexity(complexity(-1), "hard", SENTENCES), "is not a difference"),
        (lambda: build_complexity(complexity(), "hard", frozenset()), "no vector for the sentence"),
        (lambda: build_jailbreak(attack(), None), "names no detector"),
        (lambda: build_jailbreak(attack(2), "judge"), "is not a probability"),
        (
            lambda: build_embedding(
                contract.EmbeddingRule(name="x", threshold=0.5, candidates=[], aggregation_method="max"), SENTENCES
            ),
            "has no sentences",
        ),
    ],
)
def test_invalid_rule_is_rejected(make, reason):
    """Sentences without vectors, numbers that are none, a detector that is not there."""
    with pytest.raises(ValueError, match=reason):
        make()
