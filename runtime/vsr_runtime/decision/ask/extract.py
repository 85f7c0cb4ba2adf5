"""Extracts the person's own words from one user message."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vsr_runtime.decision.ask.blocks import blocks_of
from vsr_runtime.decision.ask.candidates import Candidate, candidates_of
from vsr_runtime.decision.ask.dialogue import turns_of
from vsr_runtime.decision.ask.free_text import BREAK, AskSpan, Found, FreeText, Region, free_text
from vsr_runtime.decision.ask.marks import marks_of, without_end_token
from vsr_runtime.decision.ask.paragraphs import is_question
from vsr_runtime.decision.ask.summary import goal_of_summary
from vsr_runtime.decision.ask.tags import AskRules, asking_block
from vsr_runtime.decision.fast_dataclass import fast_dataclass

__all__ = ["Ask", "AskRules", "AskSpan", "ask_of"]

_EDGE = 128_000
"""Characters at either end of a long text that are examined."""
_DEPTH = 4
_PLAIN = 300
_MAX_EARLIER = 16
_FEW_LINES = 6
_STAMP = re.compile(
    r"\s*(?:\[[^\]\n]{0,60}\d[^\]\n]{0,60}\][ \t]*(?:[^\s:：]{1,30}(?: [^\s:：]{1,30})?[:：])?[ \t]*"
    r"|\([^()\n]{3,90}\)[ \t]*\n|\[[^\]\n]{3,90}\][ \t]*\n)(?=\S)"
)
_NOTE = re.compile(r"\s*\[[^\]\n{}\"]{2,200}\]\s*$|\s*\[[A-Z][A-Z _-]{2,30}\]")
"""A bracketed remark of a harness, such as ``[ERROR]`` or ``[Request interrupted]``."""
_RESULT = re.compile(r"\s*\[[^\]\n]{2,200}\] ?(?:Result|Output|Response|Ergebnis|Résultat|Resultado):?", re.IGNORECASE)
_FILE = re.compile(r"\s*\[[^\]\n]{1,120}\.\w{1,5}\][ \t]*\n")
"""The head of an attached document that a client passes as text."""


@fast_dataclass(frozen=True, slots=True)
class Ask:
    """The person's own words in one user message.

    Attributes:
        text: the words; the pieces of several spans are joined by a blank line.
        spans: where they stand in the message.
        form: how they were found: ``whole``, ``tag``, ``label``, ``heading``, ``transcript``, ``prose`` or ``summary``.
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


def ask_of(texts: Sequence[str], rules: AskRules) -> Ask | None:
    """Return the person's own words in one user message; None if there are none."""
    if len(texts) == 1:
        text = texts[0]
        if len(text) <= _PLAIN and text[:1] not in "<[(" and "\n" not in text and ":" not in text and "：" not in text:
            return _whole(text)
    regions = _regions(texts)
    form = ""
    earlier: tuple[str, ...] = ()
    for depth in range(_DEPTH):
        blocks = [blocks_of(texts[region.part], region.start, region.end) for region in regions]
        found = [(region.part, block) for region, own in zip(regions, blocks, strict=True) for block in own]
        free = free_text(texts, regions, blocks)
        entered = None
        if found and depth + 1 < _DEPTH:
            outside = free.text.replace(BREAK, "").strip()
            earlier = earlier or _history(texts, found, rules)
            entered = asking_block(texts, found, rules, alone=not outside, question=is_question(outside[-2000:]))
        if entered is None:
            return _of_free_text(texts, free, found, form, earlier)
        regions, form = [entered], "tag"
    return None  # the last round returns


def _whole(text: str) -> Ask | None:
    words = text.strip()
    start = text.find(words)
    return Ask(words, (AskSpan(0, start, start + len(words)),), "whole") if words else None


def _regions(texts: Sequence[str]) -> list[Region]:
    regions: list[Region] = []
    for part, text in enumerate(texts):
        size = len(text)
        if _RESULT.match(text):
            if "<" not in text:
                break  # what follows is the result of a tool
            regions.append(Region(part, text.find("\n") + 1, size))
        elif len(texts) > 1 and _FILE.match(text):
            continue
        elif size <= 2 * _EDGE:
            regions.append(Region(part, 0, size))
        else:
            regions += [Region(part, 0, _EDGE), Region(part, size - _EDGE, size)]
    return regions


def _history(texts: Sequence[str], found: Sequence[Found], rules: AskRules) -> tuple[str, ...]:
    """Return what a person said in blocks that hold a conversation."""
    for part, block in found:
        if block.name and rules.meaning(block.name)[0] == "history":
            text = "\n" + texts[part][block.inner : block.inner_end]
            return tuple([turn.text.strip() for turn in turns_of(text, marks_of(text)) if turn.person][-_MAX_EARLIER:])
    return ()


def _of_free_text(
    texts: Sequence[str], free: FreeText, found: Sequence[Found], form: str, earlier: tuple[str, ...]
) -> Ask | None:
    text = free.text
    if not text.replace(BREAK, "").strip():
        return _of_blocks(texts, found, earlier)
    if _NOTE.match(text) and BREAK not in text:
        return None
    if text.count("\n") > _FEW_LINES:
        goal = goal_of_summary(text)
        if goal is not None:
            return _ask(free, Candidate(0, *goal, "summary"), earlier, weak=False)
    candidates, turns = candidates_of(free)
    best: Candidate | None = None
    for candidate in candidates:
        if best is None or candidate.score >= best.score:
            best = candidate
    said = tuple(
        [turn.text.strip() for turn in turns if turn.person and (best is None or turn.start != best.start)][
            -_MAX_EARLIER:
        ]
    )
    earlier = said or earlier
    if best is None:
        stripped = text.strip()
        start = text.find(stripped)
        return _ask(free, Candidate(0, start, start + len(stripped), "whole"), earlier, weak=True)
    if best.block is not None:
        part, block = best.block
        return _of_region(texts, Region(part, block.inner, block.inner_end), earlier)
    weak = best.introduces and len(text) - (best.end - best.start) > len(text) // 4
    return _ask(free, best, earlier, weak=weak, form=form if best.form == "prose" else "")


def _of_region(texts: Sequence[str], region: Region, earlier: tuple[str, ...]) -> Ask | None:
    words = texts[region.part][region.start : region.end].strip()
    span = AskSpan(region.part, region.start, region.end)
    return Ask(words, (span,), "label", earlier=earlier) if words else None


def _of_blocks(texts: Sequence[str], found: Sequence[Found], earlier: tuple[str, ...]) -> Ask | None:
    """Return the ask of a message that holds nothing but blocks: pasted code, or the end of a conversation."""
    if earlier:
        return Ask(earlier[-1], (), "transcript", earlier=earlier[:-1])
    fences = [one for one in found if not one[1].name]
    if not fences or len(fences) < len(found):
        return None
    part, block = fences[-1]
    words = texts[part][block.inner : block.inner_end].strip()
    return Ask(words, (AskSpan(part, block.inner, block.inner_end),), "whole", weak=True) if words else None


def _ask(free: FreeText, best: Candidate, earlier: tuple[str, ...], *, weak: bool, form: str = "") -> Ask | None:
    """Return the ask of a candidate, without a time, sender or end token around it."""
    start, end = best.start, best.end
    words = free.text[start:end] if best.text is None else best.text
    stamp = _STAMP.match(words)
    if stamp and best.text is None:
        start += stamp.end()
        words = words[stamp.end() :]
    words = without_end_token(words).replace(BREAK, "").strip()
    if not words:
        return None
    return Ask(words, free.spans(start, end), form or best.form, weak, earlier)
