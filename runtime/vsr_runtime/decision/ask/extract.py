"""Extracts the person's own words from one user message."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from vsr_runtime.decision.ask.blocks import Block, blocks_of
from vsr_runtime.decision.ask.candidates import Candidate, candidates_of
from vsr_runtime.decision.ask.courtesy import greeting_of
from vsr_runtime.decision.ask.dialogue import Turn, turns_of
from vsr_runtime.decision.ask.free_text import FreeText, free_text
from vsr_runtime.decision.ask.marks import Mark, marks_of, without_end_token
from vsr_runtime.decision.ask.message import BREAK, AskSpan, Message, message_of
from vsr_runtime.decision.ask.rules import AskRules
from vsr_runtime.decision.ask.signs import signs_of
from vsr_runtime.decision.ask.summary import goal_of_summary
from vsr_runtime.decision.ask.tags import asking_block
from vsr_runtime.decision.fast_dataclass import fast_dataclass

__all__ = ["Ask", "AskRules", "AskSpan", "ask_of"]

_DEPTH = 4
_PLAIN = 300
_MAX_EARLIER = 16
_SIGNS = '[({<>#*|-=_~`"'
_PARAGRAPH = 1000
_OUTSIDE = 2000
_STAMP = re.compile(
    r"\s*(?:\[[^\]\n]{0,60}\d[^\]\n]{0,60}\][ \t]*(?:[^\s:：]{1,30}(?: [^\s:：]{1,30})?[:：])?[ \t]*"
    r"|[^\n:：\[\]()]{1,40}[\[(][^\])\n]{0,30}\d[:.]\d[^\])\n]{0,30}[\])][:：][ \t]*"
    r"|\([^()\n]{3,90}\)[ \t]*\n|\[[^\]\n]{3,90}\][ \t]*\n)(?=\S)"
)
_NOTE = re.compile(r"\s*\[[^\]\n{}\"]{2,200}\]\s*$")
"""A bracketed remark of a harness, such as ``[Request interrupted]``."""
_RESULT = re.compile(r"\s*\[[^\]\n]{2,200}\] ?(?:Result|Output|Response|Ergebnis|Résultat|Resultado):?", re.IGNORECASE)
_CALL = re.compile(r"[^\n{}]{0,160}:\s*\{[^\n]*\}\s*$")
"""A part that reports a call of a tool with its arguments."""
_ALERT = re.compile(r"\s*\[(?:ERROR|WARNING|WARN|SYSTEM|NOTICE|INFO|NOTE|INTERRUPTED)\b[^\]\n]{0,60}\]")
_FILE = re.compile(r"\s*\[[^\]\n]{1,120}\.\w{1,5}\][ \t]*\n")
"""The head of an attached document that a client passes as text."""


@fast_dataclass(frozen=True, slots=True)
class Ask:
    """The person's own words in one user message.

    Attributes:
        text: the words; the pieces of several spans are joined by a blank line.
        spans: where they are in the message.
        form: how they were found: ``whole``, ``tag``, ``label``, ``heading``, ``transcript``, ``prose`` or ``summary``.
        weak: whether the words only introduce pasted output or notes, so that an earlier ask may govern instead.
        earlier: the person's earlier turns, if the message contains a conversation; oldest first.
        entry: position of the message in the transcript.
    """

    text: str
    spans: tuple[AskSpan, ...]
    form: str
    weak: bool = False
    earlier: tuple[str, ...] = ()
    entry: int = -1


def ask_of(texts: Sequence[str], rules: AskRules, entry: int = -1) -> Ask | None:
    """Return the person's own words in one user message; None if there are none.

    Args:
        texts: the texts of the message.
        rules: how they are found.
        entry: position of the message in the transcript.
    """
    if len(texts) == 1 and not rules.markers:
        text = texts[0]
        if len(text) <= _PLAIN and text[:1] not in "<[(" and "\n" not in text and ":" not in text and "：" not in text:
            return _whole(text, entry)
    ask = _wrapped(texts, rules)
    return None if ask is None else replace(ask, entry=entry)


def _wrapped(texts: Sequence[str], rules: AskRules) -> Ask | None:
    """Return the ask of a message that may hold more than a person's words."""
    parts = _parts(texts)
    if not parts:
        return None
    message = message_of(texts, parts)
    text, start, end = message.text, 0, len(message.text)
    form = ""
    earlier: tuple[str, ...] = ()
    for depth in range(_DEPTH):
        signs = signs_of(text, start, end)
        blocks = blocks_of(text, start, end, rules, signs)
        free = free_text(text, start, end, blocks, signs)
        entered = None
        if blocks and depth + 1 < _DEPTH:
            outside = free.text.replace(BREAK, "").strip()[-_OUTSIDE:]
            earlier = earlier or _history(text, blocks, rules)
            entered = asking_block(text, blocks, rules, outside)
        if entered is None:
            break
        start, end, form = entered.inner, entered.inner_end, "tag"
    return _of_free_text(message, free, form, earlier)


def _whole(text: str, entry: int) -> Ask | None:
    words = text.strip()
    start = text.find(words)
    return Ask(words, (AskSpan(0, start, start + len(words)),), "whole", entry=entry) if words else None


def _parts(texts: Sequence[str]) -> list[int]:
    """Return the texts that may be a person's: no results of tools and no attached documents."""
    parts: list[int] = []
    for part, text in enumerate(texts):
        if _RESULT.match(text):
            if "<" not in text:
                break  # what follows is the result
        elif _ALERT.match(text) or (len(texts) > 1 and (_FILE.match(text) or _CALL.match(text))):
            continue
        parts.append(part)
    return parts


def _history(text: str, blocks: Sequence[Block], rules: AskRules) -> tuple[str, ...]:
    """Return a person's turns in blocks that hold a conversation."""
    for block in blocks:
        if block.name and rules.meaning(block.name)[0] == "history":
            inner = "\n" + text[block.inner : block.inner_end]
            signs = signs_of(inner, 0, len(inner))
            return _turns_of_person(turns_of(inner, marks_of(inner, signs), signs))
    return ()


def _turns_of_person(turns: Sequence[Turn], but: int = -1) -> tuple[str, ...]:
    """Return a person's turns, without the turn at one position."""
    return tuple([turn.text.strip() for turn in turns if turn.person and turn.start != but][-_MAX_EARLIER:])


def _of_free_text(message: Message, free: FreeText, form: str, earlier: tuple[str, ...]) -> Ask | None:
    text = free.text
    if not text.replace(BREAK, "").strip():
        return _of_blocks(message, free.blocks, earlier)
    if _NOTE.match(text) and BREAK not in text:
        return None
    alone = _alone(free)
    if alone is not None:
        return _ask(message, free, Candidate(0, *alone, form or "whole"), earlier)
    marks = marks_of(text, free.signs)
    goal = goal_of_summary(text, marks, free.signs)
    if goal is not None:
        return _ask(message, free, Candidate(0, *goal, "summary"), earlier)
    return _chosen(message, free, marks, form, earlier)


def _chosen(message: Message, free: FreeText, marks: Sequence[Mark], form: str, earlier: tuple[str, ...]) -> Ask | None:
    """Return the best candidate; of equal ones, the last."""
    text = free.text
    candidates, turns = candidates_of(free, marks)
    if not candidates:
        stripped = text.strip()
        start = text.find(stripped)
        return _ask(message, free, Candidate(0, start, start + len(stripped), "whole"), earlier, weak=True)
    best = max(reversed(candidates), key=lambda candidate: candidate.score)
    earlier = _turns_of_person(turns, best.start) or earlier
    if best.block is not None:
        return _of_block(message, best.block, "label", earlier)
    weak = best.introduces and len(text) - (best.end - best.start) > len(text) // 4
    return _ask(message, free, replace(best, form=form) if form and best.form == "prose" else best, earlier, weak=weak)


def _alone(free: FreeText) -> tuple[int, int] | None:
    """Return the bounds of the text if it is one line of prose beside blocks, which needs no further look."""
    filled = [stretch for stretch in free.stretches if not free.text[stretch[0] : stretch[0] + stretch[2]].isspace()]
    filled = [stretch for stretch in filled if stretch[2]]
    if len(filled) != 1 or filled[0][2] > _PARAGRAPH:
        return None
    piece = free.text[filled[0][0] : filled[0][0] + filled[0][2]]
    words = piece.strip()
    if "\n" in words or ":" in words or "：" in words or BREAK in words or words[0] in _SIGNS:
        return None
    start = filled[0][0] + piece.index(words)
    return start, start + len(words)


def _of_block(
    message: Message, block: Block, form: str, earlier: tuple[str, ...] = (), *, weak: bool = False
) -> Ask | None:
    words = message.text[block.inner : block.inner_end].strip()
    spans = tuple(message.spans(block.inner, block.inner_end))
    return Ask(words, spans, form, weak, earlier) if words else None


def _of_blocks(message: Message, blocks: Sequence[Block], earlier: tuple[str, ...]) -> Ask | None:
    """Return the ask of a message that holds nothing but blocks: pasted code, or the end of a conversation."""
    if earlier:
        return Ask(earlier[-1], (), "transcript", earlier=earlier[:-1])
    if not blocks or any(block.name for block in blocks):
        return None
    return _of_block(message, blocks[-1], "whole", weak=True)


def _ask(
    message: Message, free: FreeText, best: Candidate, earlier: tuple[str, ...], *, weak: bool = False
) -> Ask | None:
    """Return the ask of a candidate, without a time, sender or end token around it."""
    start, end = best.start, best.end
    words = free.text[start:end] if best.text is None else best.text
    stamp = _STAMP.match(words)
    if stamp and best.text is None:
        start += stamp.end()
        words = words[stamp.end() :]
    if best.text is None and best.form in {"prose", "whole"}:
        greeting = greeting_of(words)
        start += greeting
        words = words[greeting:]
    words = without_end_token(words).replace(BREAK, "").strip()
    if not words:
        return None
    return Ask(words, free.spans(message, start, end), best.form, weak, earlier)
