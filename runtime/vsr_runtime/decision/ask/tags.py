"""Chooses among the blocks of a message: which holds the ask, a conversation, or notes left by compaction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vsr_runtime.decision.ask.blocks import Block, blocks_of
from vsr_runtime.decision.ask.free_text import Found, Region
from vsr_runtime.decision.ask.paragraphs import is_directive, is_question
from vsr_runtime.decision.ask.vocabulary import Meaning, meaning_of_label, meaning_of_tag

_ROLE = re.compile(r"(?:role|from|speaker|author|sender)\s*=\s*[\"']?([^\"'\s>]+)")
_LONG = 2000


@dataclass(frozen=True, slots=True)
class AskRules:
    """How asks are extracted.

    Attributes:
        tags: what known tags hold, by name.
    """

    tags: Mapping[str, Meaning] = field(default_factory=dict)

    def meaning(self, name: str) -> tuple[Meaning | None, bool]:
        """Return what a tag holds, and whether that is known rather than guessed from its name."""
        known = self.tags.get(name)
        return (meaning_of_tag(name), False) if known is None else (known, True)


def asking_block(
    texts: Sequence[str], found: Sequence[Found], rules: AskRules, *, alone: bool, question: bool
) -> Region | None:
    """Return the content of the block that holds the ask; None if no block does.

    Args:
        texts: the texts of the message.
        found: its blocks at one level.
        rules: how asks are extracted.
        alone: whether nothing stands outside of the blocks.
        question: whether something outside of them is a question.
    """
    tagged = [one for one in found if one[1].name and texts[one[0]][one[1].inner : one[1].inner_end].strip()]
    if not tagged:
        return None
    spoken = _spoken(tagged)
    if spoken is not None:
        return spoken
    best: tuple[int, Found] | None = None
    for one in tagged:
        meaning, known = rules.meaning(one[1].name)
        rank = 0
        if meaning == "ask":
            rank = 3 if known else 2
        elif meaning == "maybe" and not question:
            rank = 1
        if rank and (best is None or rank >= best[0]):
            best = rank, one
    if best is not None:
        return _region(best[1])
    return (_nested(texts, tagged, rules) or _unknown(texts, tagged, rules)) if alone else None


def _spoken(tagged: Sequence[Found]) -> Region | None:
    """Return the person's last turn if the blocks are the turns of a conversation."""
    turns = [(speaker, one) for one in tagged for speaker in (speaker_of(one[1]),) if speaker is not None]
    if not any(speaker == "assistant" for speaker, _ in turns):
        return None
    return next((_region(one) for speaker, one in reversed(turns) if speaker == "person"), None)


def speaker_of(block: Block) -> Meaning | None:
    """Return who speaks in a block, by its name or an attribute."""
    match = _ROLE.search(block.attributes) if block.attributes else None
    meaning = meaning_of_label(match[1] if match else block.name)
    return meaning if meaning in {"person", "assistant", "tool"} else None


def _nested(texts: Sequence[str], tagged: Sequence[Found], rules: AskRules) -> Region | None:
    """Return a block that contains a block with an ask."""
    for part, block in reversed(tagged):
        inner = blocks_of(texts[part], block.inner, block.inner_end)
        if any(one.name and rules.meaning(one.name)[0] in {"ask", "maybe"} for one in inner):
            return _region((part, block))
    return None


def _unknown(texts: Sequence[str], tagged: Sequence[Found], rules: AskRules) -> Region | None:
    """Return the block whose name tells nothing and whose content reads like something that a person wrote."""
    fitting: list[tuple[bool, Found]] = []
    for part, block in tagged:
        if rules.meaning(block.name)[0] is None and block.inner_end - block.inner <= _LONG:
            content = texts[part][block.inner : block.inner_end]
            if is_question(content.strip()):
                fitting.append((True, (part, block)))
            elif not is_directive(content):
                fitting.append((False, (part, block)))
    questions = [one for question, one in fitting if question]
    return _region(questions[-1]) if questions else _region(fitting[-1][1]) if fitting else None


def _region(found: Found) -> Region:
    part, block = found
    return Region(part, block.inner, block.inner_end)
