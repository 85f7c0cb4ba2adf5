"""Chooses the ask that governs a request: what classification reads."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_runtime.decision.ask.extract import Ask, AskRules, ask_of
from vsr_runtime.decision.ask.transcript import Entry

MAX_ENTRIES = 64
"""Messages by a person that are examined, counted from the end."""


def governing_ask(transcript: Sequence[Entry], rules: AskRules) -> Ask | None:
    """Return the last ask by a person; None if no message has one. A weak ask yields to an earlier one."""
    weak: Ask | None = None
    seen = 0
    for number in range(len(transcript) - 1, -1, -1):
        entry = transcript[number]
        if entry.role != "person" or not entry.texts:
            continue
        ask = ask_of(entry.texts, rules, number)
        if ask is not None:
            if not ask.weak:
                return ask
            weak = weak or ask
        seen += 1
        if seen == MAX_ENTRIES:
            break
    return weak
