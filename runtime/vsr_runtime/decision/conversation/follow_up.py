"""Tells a turn that only continues the conversation from a new ask, by its words alone.

The rules are about form: how long the turn is, whether it has words with a subject of its own, whether these occur in
the text before, whether it refers back, and whether it begins like a reply. Lists of words only serve to see which
words have no subject. What the rules cannot tell is left to the classifier.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from enum import Enum

from vsr_runtime.decision.conversation.words import (
    FUNCTION_WORDS,
    HINTS,
    KOREAN,
    OPENERS,
    REFERENCES,
    REVISIONS,
    UNSPACED,
)

LONG_UNITS = 40
"""Words from which a turn is an ask of its own."""
SHORT_UNITS, BRIEF_UNITS, TINY_UNITS = 18, 12, 5
MAX_READ = 600
"""Code points of a turn that the rules read; a longer one is an ask of its own."""
MAX_CONTEXT = 4000
"""Code points of the answer and the ask before that are searched for the turn's words."""
_STEM = 5
"""Letters by which two forms of a word are the same."""
_LOOKS = 8
"""Places of a stem in a text that are looked at before all words of the text are listed."""
_JOINTS = "'.-"
"""Characters within words."""
_FEW, _SOME, _MORE = 1, 2, 3
"""Numbers of words with a subject of their own that a reply may have."""
_LETTERS = r"(?:[^\W_]|[\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0900-\u0963\u0966-\u0dff\u200c])+"
_WORD = re.compile(rf"{_LETTERS}(?:['.\-]{_LETTERS})*")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_UNSPACED_WORDS = re.compile("|".join(map(re.escape, UNSPACED)))
_UNSPACED_LETTERS = 2
"""Characters that count as a word in scripts without blanks."""
_ASCII_WORD = re.compile(r"[a-z0-9]+(?:['.\-][a-z0-9]+)*")
"""The same in lower-case ASCII, which most texts are: several times faster."""
_FORMULA_SIGN = re.compile(r"[=^\\∫∑√±≤≥<>(\d]")
"""One of these is in each formula. Most texts have none, and looking for one character is fast."""
_FORMULA = re.compile(r"[=^\\∫∑√±≤≥<>]|\d\s*[-+*/\u00d7\u00f7]\s*\d|[A-Za-z]\([^)]*\)")
_NUMBER = 3
"""Digits up to which a number may be that of an option or a line."""
_CODE_FENCE = "```"


class TurnKind(Enum):
    """Whether a turn is an ask of its own, may be one, or continues the one before it.

    ``SAME`` is that ask in a conversation that has become longer.
    """

    NEW = "new"
    UNSURE = "unsure"
    SAME = "same"
    FOLLOW_UP = "follow-up"


def kind_of_turn(text: str, answer: Callable[[], str], ask: str) -> TurnKind:
    """Return what a turn is.

    Args:
        text: the person's words.
        answer: returns the assistant's words before it; empty if there are none.
        ask: the ask that governs so far.
    """
    if len(text) > MAX_READ or _CODE_FENCE in text:
        return TurnKind.NEW
    words, dense = _words(text)
    units = len(words) + dense
    if not words and not dense:
        return TurnKind.FOLLOW_UP
    if units > LONG_UNITS:
        return TurnKind.NEW
    own, given, given_dense = _subjects(words, text, answer, ask)
    count = sum(own) + given_dense[0]
    if count and _FORMULA_SIGN.search(text) and _FORMULA.search(text):
        return TurnKind.NEW
    if not count:
        return TurnKind.FOLLOW_UP if units <= SHORT_UNITS or not (given or given_dense[1]) else TurnKind.UNSURE
    return _kind_of_reply(words, own, units, count)


def _kind_of_reply(words: list[str], own: list[bool], units: int, count: int) -> TurnKind:
    """Return the kind of a turn with some words of its own.

    Args:
        words: its words.
        own: which of them have a subject of their own.
        units: the number of words.
        count: the number of those with a subject of their own, also in scripts without blanks.
    """
    refers = [place for place, word in enumerate(words) if word in REFERENCES]
    opens = bool(words) and (words[0] in OPENERS or words[1:2] == ["about"])
    revises = any(word in REVISIONS for word in words[:2])
    brief = units <= BRIEF_UNITS
    if brief and count <= _FEW and (refers or opens):
        return TurnKind.FOLLOW_UP
    if brief and count <= _SOME and refers and (opens or revises):
        return TurnKind.FOLLOW_UP
    # A word such as "it" behind a subject may refer to that.
    refers_back = bool(refers) and not any(own[: refers[0]])
    hints = count <= _SOME and any(word in HINTS for word in words)
    related = brief and count <= _MORE and (refers_back or opens or revises or hints)
    tiny = units <= TINY_UNITS and count <= _SOME
    return TurnKind.UNSURE if tiny or related else TurnKind.NEW


def _words(text: str) -> tuple[list[str], int]:
    """Return the words in lower case, and the number of words in scripts without blanks."""
    if text.isascii():
        return _ASCII_WORD.findall(text.lower()), 0
    folded = unicodedata.normalize("NFKC", text).lower().replace("\u2019", "'")
    letters = sum(map(len, _UNSPACED.findall(folded)))
    return _WORD.findall(_UNSPACED.sub(" ", folded)), -(-letters // _UNSPACED_LETTERS)


def _subjects(
    words: list[str], text: str, answer: Callable[[], str], ask: str
) -> tuple[list[bool], bool, tuple[int, bool]]:
    """Return which words have a subject of their own, and whether some have one that was mentioned before.

    The last pair is the same for scripts without blanks: the number of words, and whether some were mentioned.
    """
    subjects = [word not in FUNCTION_WORDS and not _is_function_word(word) for word in words]
    dense_runs = () if text.isascii() else _UNSPACED.findall(text)
    runs = [run for run in ("".join(_UNSPACED_WORDS.split(run)) for run in dense_runs) if run]
    if not any(subjects) and not runs:
        return subjects, False, (0, False)
    before = unicodedata.normalize("NFKC", f"{answer()[-MAX_CONTEXT:]}\n{ask[:MAX_CONTEXT]}").lower()
    possible = {word[:_STEM] for word, subject in zip(words, subjects, strict=True) if subject}
    mentioned = _mentioned({stem for stem in possible if stem in before}, before)
    own = [subject and word[:_STEM] not in mentioned for word, subject in zip(words, subjects, strict=True)]
    new = [run for run in runs if run not in before]
    dense = sum(-(-len(run) // _UNSPACED_LETTERS) for run in new)
    return own, sum(own) < sum(subjects), (dense, len(new) < len(runs))


def _mentioned(stems: set[str], before: str) -> set[str]:
    """Return those of some stems that are stems of words in the text before, all of which occur in it."""
    found = set[str]()
    for stem in stems:
        mentioned = _begins_word(stem, before) if stem.isalnum() and before.isascii() else None
        if mentioned is None:  # all words of the text, for letters that are not ASCII and after many vain looks
            pattern = _ASCII_WORD if before.isascii() else _WORD
            return {word[:_STEM] for word in pattern.findall(before)}
        if mentioned:
            found.add(stem)
    return found


def _begins_word(stem: str, before: str) -> bool | None:
    """Return whether a stem is that of some word of an ASCII text; None if it often occurs elsewhere."""
    at = before.find(stem)
    for _ in range(_LOOKS):
        if at < 0:
            return False
        end = at + len(stem)
        if not _inside(before[max(0, at - 2) : at][::-1]) and (
            len(stem) == _STEM or not _inside(before[end : end + 2])
        ):
            return True
        at = before.find(stem, at + 1)
    return None


def _inside(beside: str) -> bool:
    """Return whether a word goes on with the two characters beside a place, the nearer one first."""
    return beside[:1].isalnum() or (beside[:1] in _JOINTS and beside[1:].isalnum())


def _is_function_word(word: str) -> bool:
    if word in FUNCTION_WORDS or (word.isdigit() and len(word) <= _NUMBER) or len(word) == 1:
        return True
    head, _, rest = word.partition("'")
    if rest and (head in FUNCTION_WORDS or len(head) == 1) and (rest in FUNCTION_WORDS or len(rest) <= _SOME):
        return True
    parts = word.split("-")
    if len(parts) > 1 and all(part in FUNCTION_WORDS for part in parts):
        return True
    return bool(_HANGUL.match(word)) and word.startswith(KOREAN)
