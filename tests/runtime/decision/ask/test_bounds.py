from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.properties import examples
from support.unseen_harnesses import messages
from vsr_runtime.decision.ask.extract import AskRules, ask_of
from vsr_runtime.decision.ask.governing import governing_ask
from vsr_runtime.decision.ask.message import EDGE
from vsr_runtime.decision.ask.transcript import Entry
from vsr_runtime.decision.program.build_ask import with_ask
from vsr_runtime.decision.program.program import Program
from vsr_schemas.runtime import AskSettings

RULES = with_ask(Program({}, (), (), "small"), AskSettings()).ask_rules or AskRules()
PIECES = (
    "<a>", "</a>", "<user_query>", "</user_query>", "```", "\n", "\n\n", "## My request\n", "Question: ", "[INST]",
    "[/INST]", "User: ", "AI: ", '{"role": "user", "content": "', '"}', "[10:01] Ida: ", "--- a ---",
    "--- end a ---", "<|im_start|>user", "1. Goal:", "> ", "\x02", "\ud800", "\u3002\uff1a", "what?",
    "words and more words", "- never do it", "From: a@example.com\n", "\t", " ",
)  # fmt: skip
HOSTILE = (
    "<", "<a>\n", "</a>", "<a ", "```\n", '"""\n', "\nQuestion: a", "\n# a", "\n--- a ---", "\n--- end ---",
    "\n[1:1] a:", "\n\n", "[A]", "[INST]", "<|a", ":", "\n-", ".\n", "\nFrom: a", "\n[x]\n", "\n1.", "do not ",
    "\n> ", "\\", "\n**a", "a: b\n", "\n1-1 | a | b", '"role": "user", "content": "', '"role":"user","content":"\\',
    "\n- role: user\n  content: a", '{"a": "',
)  # fmt: skip
SIZE = 20_000
TIMES = 16
GROWTH, ATTEMPTS = 3 * TIMES, 5
"""Linear work takes 16 times as long for 16 times the text, work that grows with the square 256 times. The bound is far
from both, so that a busy machine does not decide."""


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=30).map("".join), max_size=4))
@examples(300)
def test_any_message_has_an_ask_of_its_own_words_or_none(texts):
    """Nothing is raised, the same message gives the same ask, and spans lie in their texts."""
    ask = ask_of(texts, RULES)
    assert ask == ask_of(list(texts), RULES)
    if ask is not None:
        assert ask.text.strip()
        for span in ask.spans:
            assert 0 <= span.start < span.end <= len(texts[span.part])


@given(st.lists(st.tuples(st.sampled_from(["person", "assistant", "tool"]), st.text(max_size=60)), max_size=8))
@examples(100)
def test_the_governing_ask_is_one_of_a_person(turns):
    """Whatever the transcript, the ask comes from a message by a person."""
    transcript = [Entry(role, (text,)) for role, text in turns]
    ask = governing_ask(transcript, RULES)
    assert ask is None or transcript[ask.entry].role == "person"


def test_known_programs_do_not_hide_asks_of_others():
    """With all profiles as with none, the words of the person are found."""
    assert all(
        (ask_of(one.texts, RULES) or ask_of(("?",), RULES)).text.split() == one.ask.split() for one in messages(20, 5)
    )


@pytest.mark.parametrize("piece", HOSTILE, ids=repr)
def test_work_grows_with_the_text_and_no_faster(piece):
    """Sixteen times the text takes about sixteen times the CPU, and few frames of the stack."""
    short, long = (piece * (size // len(piece)) for size in (SIZE, TIMES * SIZE))
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(400)
    try:
        assert any(_cpu(long) / max(_cpu(short), 1e-3) <= GROWTH for _ in range(ATTEMPTS))
    finally:
        sys.setrecursionlimit(limit)


def _cpu(text: str) -> float:
    """Return the CPU seconds that a text takes, the least of three tries."""
    tries = []
    for _ in range(3):
        start = time.process_time()
        ask_of((text,), RULES)
        tries.append(time.process_time() - start)
    return min(tries)


def test_of_a_very_long_message_the_ends_are_read():
    """An ask behind or before megabytes is found, and its span is right."""
    ask = "How do plants store sugar?"
    filler = "\n\n".join(["The depot closes at six on weekdays."] * 20_000)
    assert len(filler) > 2 * EDGE
    for text in (f"{filler}\n\n{ask}", f"<notes>\n{filler}\n</notes>\n\n{ask}"):
        found = ask_of((text,), RULES)
        assert found is not None
        assert found.text == ask
        assert text[found.spans[0].start : found.spans[0].end].strip() == ask


@pytest.mark.parametrize(
    "text",
    [
        "I have a lease that began in May, and the landlord wants to sell the flat.\n\nCan he end it early?",
        "We run a small shop. Sales fell in spring.\n\nI tried two discounts in vain.\n\nWhat should I try next?",
        "Please write a letter.\n\nIt should thank the team.\n\nKeep it warm, no longer than a page.",
        "Implement the following:\n\n- a login page\n- a logout button\n- a page for forgotten passwords\n- tests",
    ],
)
def test_a_persons_own_paragraphs_stay_together(text):
    """A message without a harness is read whole."""
    ask = ask_of((text,), RULES)
    assert ask is not None
    assert not ask.weak
    assert ask.text.split() == text.split()
