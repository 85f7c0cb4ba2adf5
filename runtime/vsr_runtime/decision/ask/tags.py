"""Chooses among the blocks of a message: which holds the ask, and which a conversation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vsr_runtime.decision.ask.blocks import QUOTES, Block, blocks_of
from vsr_runtime.decision.ask.rules import AskRules
from vsr_runtime.decision.ask.sentences import is_directive, is_question
from vsr_runtime.decision.ask.signs import signs_of
from vsr_runtime.decision.ask.vocabulary import Meaning, meaning_of_label

_ROLE = re.compile(r"(?:role|from|speaker|author|sender|name)\s*=\s*[\"']?([^\"'\s>]+)")
_LONG = 2000
_WORD = re.compile(r"[^\W\d_]{3,20}")
_DELIMITED = {"triple", "delimited", "enclosed", "quotes", "quotation", "backticks", "fenced", "fences"}
_SENTENCE = re.compile(r"[.!:\n]")


def asking_block(text: str, blocks: Sequence[Block], rules: AskRules, outside: str) -> Block | None:
    """Return the block that holds the ask; None if no block does.

    Args:
        text: the text of the message.
        blocks: its blocks at one level.
        rules: how asks are extracted.
        outside: the end of the text outside of the blocks.
    """
    named = [block for block in blocks if block.name and text[block.inner : block.inner_end].strip()]
    if not named:
        return _quoted(text, blocks, outside)
    question = is_question(outside)
    spoken = _spoken(named)
    if spoken is not None:
        return spoken
    best: tuple[int, Block] | None = None
    for block in named:
        meaning, known = (block.meaning, True) if block.meaning else rules.meaning(block.name)
        rank = 0
        if meaning == "ask":
            rank = 3 if known else 2
        elif meaning == "maybe" and not question:
            rank = 1
        if rank and (best is None or rank >= best[0]):
            best = rank, block
    if best is not None:
        return best[1]
    return (_nested(text, named, rules) or _unknown(text, named, rules)) if not outside else None


def _quoted(text: str, blocks: Sequence[Block], outside: str) -> Block | None:
    """Return the quoted text that the words before it call the person's request, such as ``… in triple quotes``."""
    quoted = [block for block in blocks if text.startswith(QUOTES, block.start)] or blocks
    if len(quoted) != 1 or not outside or is_question(outside):
        return None
    sentences = [set(_WORD.findall(sentence)) for sentence in _SENTENCE.split(outside.lower())]
    content = text[quoted[0].inner : quoted[0].inner_end].strip()
    called = any(words & _DELIMITED and any(meaning_of_label(word) == "ask" for word in words) for words in sentences)
    asks = text.startswith(QUOTES, quoted[0].start) and is_question(content) and is_directive(outside)
    return quoted[0] if content and (called or asks) else None


def _spoken(named: Sequence[Block]) -> Block | None:
    """Return the person's last turn if the blocks are the turns of a conversation."""
    turns = [(speaker_of(block), block) for block in named]
    if not any(speaker == "assistant" for speaker, _ in turns):
        return None
    return next((block for speaker, block in reversed(turns) if speaker == "person"), None)


def speaker_of(block: Block) -> Meaning | None:
    """Return who speaks in a block, by its name or an attribute."""
    match = _ROLE.search(block.attributes) if block.attributes else None
    meaning = meaning_of_label(match[1] if match else block.name)
    return meaning if meaning in {"person", "assistant", "tool"} else None


def _nested(text: str, named: Sequence[Block], rules: AskRules) -> Block | None:
    """Return a block that contains a block with an ask, or the turns of a conversation."""
    for block in reversed(named):
        signs = signs_of(text, block.inner, block.inner_end)
        inner = [one for one in blocks_of(text, block.inner, block.inner_end, rules, signs) if one.name]
        if _spoken(inner) or any(rules.meaning(one.name)[0] in {"ask", "maybe"} for one in inner):
            return block
    return None


def _unknown(text: str, named: Sequence[Block], rules: AskRules) -> Block | None:
    """Return the block whose name tells nothing and whose content reads like something that a person wrote."""
    questions: list[Block] = []
    others: list[Block] = []
    for block in named:
        if rules.meaning(block.name)[0] is None and block.inner_end - block.inner <= _LONG:
            content = text[block.inner : block.inner_end].strip()
            if is_question(content):
                questions.append(block)
            elif not is_directive(content):
                others.append(block)
    chosen = questions or others
    return chosen[-1] if chosen else None
