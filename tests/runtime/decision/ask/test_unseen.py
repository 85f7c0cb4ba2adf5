from __future__ import annotations

from collections import Counter

import pytest

from support.properties import FACTOR, FUZZING
from support.unseen_harnesses import FAMILIES, messages
from vsr_runtime.decision.ask import extract, free_text
from vsr_runtime.decision.ask.extract import AskRules, ask_of

NEEDED = 0.97
COUNT = 60 * FACTOR if FUZZING else 60


@pytest.mark.parametrize("family", FAMILIES)
def test_asks_are_found_in_harnesses_that_no_table_knows(family):
    """At least 97 % of messages of each form give exactly the person's words."""
    outcomes: Counter[bool] = Counter()
    for message in messages(COUNT, seed=11):
        if message.family == family:
            ask = ask_of(message.texts, AskRules())
            outcomes[ask is not None and not ask.weak and ask.text.split() == message.ask.split()] += 1
    assert outcomes[True] >= NEEDED * outcomes.total(), outcomes


def test_skipped_searches_would_have_found_nothing(monkeypatch):
    """The signs at the beginnings of lines, which tell what to search for, change no ask."""
    texts = [message.texts for message in messages(20, seed=3)]
    texts += [(one[0][: len(one[0]) // 2] + "\n\n" + other[-1],) for one, other in zip(texts, texts[7:], strict=False)]
    quick = [ask and ask.text for ask in (ask_of(one, AskRules()) for one in texts)]
    everything = frozenset({"--", "==", "##", "#", "**", "<<", "~~", "__", "[", "(", "1."})
    for module in (extract, free_text):
        monkeypatch.setattr(module, "signs_of", lambda *_: everything)
    for one, text in zip(texts, quick, strict=True):
        ask = ask_of(one, AskRules())
        assert (ask and ask.text) == text
