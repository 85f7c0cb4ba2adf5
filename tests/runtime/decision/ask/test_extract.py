from __future__ import annotations

import json

import pytest

from vsr_runtime.decision.ask.extract import AskRules, ask_of

ASK = "How do plants store sugar?"
LOG = "\n".join(f"2026-03-17T06:58:{n:02d}Z INFO app-01 worker {n} idle" for n in range(8))


@pytest.mark.parametrize(
    "text",
    [
        f"<anything-reminder>\nKeep to the plan. Never say so.\n</anything-reminder>\n{ASK}",
        f"<facts_of_session>\nfolder: /tmp\n</facts_of_session>\n\n<user_wish>\n{ASK}\n</user_wish>",
        f"# Context of my editor\n\n## Open tabs\n- a.py\n- b.py\n\n## My request\n{ASK}\n",
        f"Use the excerpts.\n\nContext:\nPlants grow.\nBirds fly.\n\nQuestion: {ASK}\n\nAnswer in German.\n\nAnswer:",
        f"Question: {ASK}\nContext: Q: Why do birds fly?\nThey like it.\nAnswer:",
        f"Frage: {ASK}\n\nAntworte kurz.",
        f"问题\uff1a{ASK}\n回答\uff1a",
        f"```\n{LOG}\n```\n\n{ASK}",
        f"{ASK}\n\nFor the record:\n\n{LOG}",
        f"{ASK}\n\nIda\n\n> From: Bo <bo@example.com>\n> To: Ida\n>\n> The draft stays internal.",
        f"Continue.\n\nHuman: Why is the sky blue?\n\nAI: It scatters.\n\nHuman: {ASK}\n\nAI:",
        f"[10:01] Ida: Why is the sky blue?\n[10:02] bot: It scatters.\n[10:04] Ida: {ASK}",
        json.dumps(
            [{"role": role, "content": text} for role, text in (("user", "Hi"), ("assistant", "?"), ("user", ASK))]
        ),
        f"[2026-03-17 10:02 UTC] Ida: {ASK}",
    ],
)
def test_the_ask_is_found_without_knowing_the_harness(text):
    """Tags, headings, labels, fences, logs, mails and conversations are left out by their structure alone."""
    ask = ask_of([text], AskRules())
    assert ask is not None
    assert (ask.text, ask.weak) == (ASK, False)


ITEMS = "\n".join(f"* likes walks in park {n}" for n in range(5))
MAIL = "From: Bo <bo@example.com>\nSent: Friday\nTo: Ida\nSubject: minutes\n\nWe met at nine.\n\nWhat did you find?"
TASK = "Explain how plants store sugar"


@pytest.mark.parametrize("ask", [ASK, TASK])
@pytest.mark.parametrize(
    "form",
    [
        (
            'Reply with an object.\n{"prompt": "ASK", "turns": 3, "history": [{"role": "user", "content": "Hello?"}, '
            '{"role": "assistant", "content": "Yes?"}]}'
        ),
        '{"search_results": ["Glass is hard.", "Is it?"], "user_request": "ASK", "tenant": {"id": 7}}',
        "[OFFICE RULES]\nLeave by six.\nWhat about Friday?\n[/OFFICE RULES]\n\nASK",
        "[app_state]\nopen: 3\n[/app_state]\nASK",
        'You help the staff of a library.\n\nThe request of the visitor is enclosed in triple quotes:\n\n"""ASK"""',
        'Stay polite. The visitor\'s question stands in triple quotes.\n"""\nASK\n"""',
        "ASK\n\nKind regards,\nIda Berg\n\n-----Original Message-----\n" + MAIL,
        "Hello everyone,\n\nASK\n\nMany thanks in advance!\n\n" + MAIL,
        "The current date is 17 March. Username: ida. Time zone: CET.\n\nASK",
        "Today's date: Monday\nLocation: Bergen\nDevice: phone\n\nASK",
        "I've attached three photos of the plants.\n\nASK",
        "ASK\n\n***\nWhat you remember of this person:\n" + ITEMS,
        "[INST] <<SYS>>\nBe kind. Is that so hard?\n<</SYS>>\n\nASK [/INST]",
        "ASK\n\n---\nSaved facts:\n" + ITEMS,
        "Hey there! ASK\n\n```\n" + LOG + "\n```\n\nCheers!",
        "Good morning,\n\nASK\n\n```\n" + LOG + "\n```\n\nvielen dank im voraus :)",
    ],
)
def test_what_stands_around_an_ask_is_left_out(form, ask):
    """Objects, bracket markers, quotes, mails, surroundings, memories and courtesies are no part of the ask."""
    found = ask_of([form.replace("ASK", ask)], AskRules())
    assert found is not None
    assert (found.text, found.weak) == (ask, False)


@pytest.mark.parametrize(
    "text",
    [
        'What does this configuration do?\n{"query": "SELECT 1", "context": "test"}',
        'What does this return?\n\n"""Who are you?"""',
        "Thanks to the rain the river is high, and the mill works again. Why did it stop in May?",
        "Name: a word for a person or a thing. Role: what somebody does. Which of these is older?",
    ],
)
def test_a_persons_own_material_does_not_become_the_ask(text):
    """A question about an object or a quote stays the ask, and so do sentences that look like courtesies or fields."""
    found = ask_of([text], AskRules())
    assert found is not None
    assert text.startswith(found.text.split("\n")[0])


@pytest.mark.parametrize(
    "text",
    [
        "<any_reminder>\nNothing to do.\n</any_reminder>",
        "[Request interrupted by user]",
        "[read for 'a.py'] Result:\nx = 1",
        "",
    ],
)
def test_messages_by_a_harness_alone_have_no_ask(text):
    """A note, a result or nothing is no ask."""
    assert ask_of([text], AskRules()) is None


def test_an_introduction_of_output_is_weak():
    """Words that only lead to a pasted log let an earlier ask govern."""
    ask = ask_of([f"I ran the tests. This came out:\n\n{LOG}"], AskRules())
    assert ask is not None
    assert ask.weak


def test_notes_left_by_compaction_hold_the_ask():
    """The section about the person's wish is the ask."""
    rest = "2. Files looked at\n- a.py\n\n3. Next step\nRead b.py.\n\n4. Open points\nNone."
    notes = f"Notes so far.\n\n1. What the person wants\n{ASK}\n\n{rest}"
    ask = ask_of([notes], AskRules())
    assert ask is not None
    assert (ask.text, ask.form) == (ASK, "summary")


def test_earlier_turns_of_a_conversation_in_one_message_are_kept():
    """What the person said before is there to be inherited, oldest first."""
    ask = ask_of(["Human: one?\nAI: yes\nHuman: two?\nAI: no\nHuman: go on\nAI:"], AskRules())
    assert ask is not None
    assert (ask.text, ask.earlier) == ("go on", ("one?", "two?"))


def test_spans_lead_to_the_words_in_their_part():
    """Each span names the text of the message and the code points in it."""
    texts = ["<note>\nx\n</note>", f"<info>y</info>\n{ASK}"]
    ask = ask_of(texts, AskRules())
    assert ask is not None
    (span,) = ask.spans
    assert texts[span.part][span.start : span.end].strip() == ASK
