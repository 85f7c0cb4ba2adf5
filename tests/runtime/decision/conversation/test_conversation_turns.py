# ruff: noqa: RUF001 - turns in other scripts
"""Whether a turn continues the conversation or is a new ask, by its words alone."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vsr_runtime.decision.ask.extract import Ask
from vsr_runtime.decision.ask.rules import AskRules
from vsr_runtime.decision.ask.transcript import Entry
from vsr_runtime.decision.conversation.follow_up import TurnKind, kind_of_turn
from vsr_runtime.decision.view import RequestView

ASK = "How do tides arise, and why are there two of them on most days?"
ANSWER = "The moon pulls on the water that faces it more than on the centre. Shall I go on with spring tides?"

CONTINUES = (
    "yes",
    "go on",
    "Please keep going.",
    "make it shorter",
    "could you elaborate on the last part?",
    "no, the other one",
    "put that in bullet points",
    "what about the moon?",
    "and in winter?",
    "why is that?",
    "2",
    "B",
    "👍",
    "...",
    "run the tests",
    "weiter so",
    "kannst du das genauer erklären?",
    "dame otro ejemplo",
    "encore une fois en plus simple",
    "va bene, continua",
    "pode explicar de novo?",
    "kun je dat korter maken?",
    "tak, dalej",
    "продолжай",
    "daha kısa lütfen",
    "जारी रखें",
    "استمر",
    "继续",
    "请再解释一下",
    "もっと短くしてください",
    "계속해 주세요",
    "tiếp tục đi",
)
ASKS = (
    "What is the difference between a merger and an acquisition?",
    "Write a function that parses dates in three formats.",
    "Explain how vaccines train the immune system.",
    "Solve 3x + 7 = 22.",
    "Who painted the ceiling of the Sistine Chapel?",
    "Was ist der Unterschied zwischen Miete und Pacht?",
    "¿Cuál es la capital administrativa de Bolivia?",
    "光合作用的暗反应阶段主要发生哪些化学变化？",
    "Почему инфляция снижает покупательную способность?",
    "That reminds me of my tax return: which deductions apply to a home office in another state?",
)


@pytest.mark.parametrize("text", CONTINUES)
def test_a_turn_without_a_subject_of_its_own_continues(text: str) -> None:
    """In any language, by its words and by those of the answer."""
    assert kind_of_turn(text, lambda: ANSWER, ASK) is TurnKind.FOLLOW_UP


@pytest.mark.parametrize("text", ASKS)
def test_a_turn_on_a_subject_of_its_own_is_an_ask(text: str) -> None:
    """Even if it is short, or begins by referring back."""
    assert kind_of_turn(text, lambda: ANSWER, ASK) is TurnKind.NEW


@pytest.mark.parametrize("text", ["Photosynthesis?", "define entropy", "use a different approach", "plus vite que ça"])
def test_a_turn_that_may_be_either_is_left_to_the_classifier(text: str) -> None:
    """A few words with some subject."""
    assert kind_of_turn(text, lambda: ANSWER, ASK) is not TurnKind.NEW


def test_words_of_the_answer_are_no_subject_of_their_own() -> None:
    """The same turn is an ask where nobody mentioned its words."""
    text = "Explain the spring tides and the centre in detail."
    assert kind_of_turn(text, lambda: ANSWER, ASK) is TurnKind.FOLLOW_UP
    assert kind_of_turn(text, lambda: "", "Who wrote Faust?") is not TurnKind.FOLLOW_UP


@pytest.mark.parametrize("text", ["x" * 10_000_000, "it " * 3_000_000, "的" * 5_000_000, "a-" * 2_000_000])
def test_only_the_beginning_of_a_long_turn_is_read(text: str) -> None:
    """A turn of millions of characters is an ask without being searched."""
    assert kind_of_turn(text, lambda: ANSWER, ASK) is TurnKind.NEW


@given(st.text("ab12'.- \n", max_size=60), st.sampled_from(("zebra", "zeb", "zebras", "zeb-qa", "zeb'")))
@example("zebu a-zebra 1.zebra", "zebra")
@example(" ".join(["azebra"] * 20), "zebra")
def test_a_word_is_mentioned_where_a_word_of_the_answer_has_its_stem(text: str, word: str) -> None:
    """However the text is searched: inside other words, at joints, and again and again."""
    answer = text.replace("1", word[:3]).replace("2", word)
    words = re.findall(r"[a-z0-9]+(?:['.\-][a-z0-9]+)*", f"{answer}\nhello")
    mentioned = word.rstrip("'")[:5] in {one[:5] for one in words}
    assert mentioned is (kind_of_turn(word, lambda: answer, "hello") is TurnKind.FOLLOW_UP)


def test_the_view_for_another_ask_differs_in_nothing_else() -> None:
    """All fields are carried over by hand."""
    view = RequestView("t", 1, ("user",), 2, 3, 4, ("h",), (Entry("person", ("t",)),), AskRules(), {"all": "h"})
    ask = Ask("a", (), "whole")
    assert view.about(ask) == replace(view, memo={})
    assert view.about(ask).ask == ask
