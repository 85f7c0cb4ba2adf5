"""Reads a JSON object in a text whose fields say which of them is the ask, such as ``{"question": …, "context": …}``."""

from __future__ import annotations

import re
from itertools import islice

from vsr_runtime.decision.ask.dialogue import Turn, unescaped
from vsr_runtime.decision.ask.sentences import is_question
from vsr_runtime.decision.ask.vocabulary import meaning_of_tag
from vsr_runtime.decision.fast_dataclass import fast_dataclass

_FIELD = re.compile(r'"([^"\\\n]{1,40})"\s{0,8}:\s{0,8}"([^"\\]*(?:\\.[^"\\]*)*)"')
_KEY = re.compile(r'"([^"\\\n]{1,40})"\s{0,8}:')
_MOST_FIELDS = 64


@fast_dataclass(frozen=True, slots=True)
class Field:
    """A string in an object whose key announces an ask: its bounds, its text, and whether the key is certain."""

    start: int
    end: int
    text: str
    certain: bool


def asking_fields(text: str, turns: list[Turn]) -> list[Field]:
    """Return the strings of a JSON object whose keys announce an ask.

    The object is the text, or begins a line behind words that ask nothing, and has other fields with context. Beside a
    conversation in the object, only a certain key outside of it counts.
    """
    if '"' not in text or "{" not in text or (turns and text[turns[0].mark] != '"'):
        return []
    alone = text.lstrip().startswith("{")
    start = 0 if alone else text.find("\n{")
    if start < 0 or not (
        alone or (_has_context(text, start) and not is_question(text[max(0, start - 2000) : start].strip()))
    ):
        return []
    fields = _fields(text, start)
    if not turns:
        return fields
    low, high = turns[0].mark, turns[-1].end
    return [field for field in fields if field.certain and not low <= field.start < high]


def _has_context(text: str, start: int) -> bool:
    keys = islice(_KEY.finditer(text, start), _MOST_FIELDS)
    return any(meaning_of_tag(match[1]) in {"context", "history", "summary"} for match in keys)


def _fields(text: str, start: int) -> list[Field]:
    found: list[Field] = []
    for match in _FIELD.finditer(text, start):
        meaning = meaning_of_tag(match[1])
        if meaning in {"ask", "maybe"} and match[2].strip():
            found.append(Field(match.start(2), match.end(2), unescaped(match[2]), meaning == "ask"))
        if len(found) == _MOST_FIELDS:
            break
    return found
