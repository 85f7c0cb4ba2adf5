"""Extracts the person's own words from one user message."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vsr_runtime.decision.fast_dataclass import fast_dataclass

_BLOCK = re.compile(r"<([A-Za-z][\w-]{0,63})(?:\s[^<>]{0,500})?>(.*?)</\1>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class AskRules:
    """How asks are extracted."""


@fast_dataclass(frozen=True, slots=True)
class AskSpan:
    """Where a piece of an ask stands: the number of the text in its message, and code points in that text."""

    part: int
    start: int
    end: int


@fast_dataclass(frozen=True, slots=True)
class Ask:
    """The person's own words in one user message.

    Attributes:
        text: the words; the pieces of several spans are joined by a blank line.
        spans: where they stand in the message.
        form: how they were found, such as ``whole``, ``tag`` or ``summary``.
        weak: whether the words only introduce pasted output or notes, so that an earlier ask may govern instead.
        earlier: what the person said before, if the message contains a conversation; oldest first.
        entry: position of the message in the transcript.
    """

    text: str
    spans: tuple[AskSpan, ...]
    form: str
    weak: bool = False
    earlier: tuple[str, ...] = ()
    entry: int = -1


def ask_of(texts: Sequence[str], rules: AskRules) -> Ask | None:  # noqa: ARG001 - the table of markers follows
    """Return the person's own words in one user message; None if there are none."""
    for part in range(len(texts) - 1, -1, -1):
        text = texts[part]
        end = len(text)
        start = 0
        for match in _BLOCK.finditer(text):
            if match.start() == start or not text[start : match.start()].strip():
                start = match.end()
        piece = text[start:end].strip()
        if piece:
            begin = text.index(piece, start)
            return Ask(piece, (AskSpan(part, begin, begin + len(piece)),), "whole")
    return None
