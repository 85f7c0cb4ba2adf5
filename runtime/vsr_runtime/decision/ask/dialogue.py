"""Reads a conversation in one text: as lines, with times, as JSON or YAML, or with chat tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from vsr_runtime.decision.ask.marks import Mark, beginning_lines
from vsr_runtime.decision.ask.signs import has_rows
from vsr_runtime.decision.ask.vocabulary import Meaning, meaning_of_label
from vsr_runtime.decision.fast_dataclass import fast_dataclass

_STRING = r'"([^"\\]*(?:\\.[^"\\]*)*)"'
_ROLE = r'"(?:role|from|speaker|author|sender|name|type)"\s{0,20}:\s{0,20}"([^"\n]{1,40})"'
_CONTENT = r'"(?:content|text|value|message|body|utterance|say)"\s{0,20}:\s{0,20}' + _STRING
_JSON = (
    (re.compile(rf"{_ROLE}\s{{0,40}},\s{{0,40}}{_CONTENT}", re.DOTALL), 1, 2),
    (re.compile(rf"{_CONTENT}\s{{0,40}},\s{{0,40}}{_ROLE}", re.DOTALL), 2, 1),
)
_ROLE_KEYS = frozenset({"role", "from", "speaker", "author", "sender"})
_CONTENT_KEYS = frozenset({"content", "text", "value", "message", "body"})
_STAMP = re.compile(r"\d[:.\-/]\d")
_ROW = re.compile(r"\n[\[(]?\d[\d\-:./ T]{3,22}+[\])]?[ \t]*[|,;\t][ \t]*([^\W\d_][\w .'-]{0,30}?)[ \t]*[|,;\t][ \t]*")
_LAST_TURNS = 64
"""Turns that are read of a conversation in lines, counted from the end."""
MAX_TURNS = 1000


@fast_dataclass(frozen=True, slots=True)
class Turn:
    """One turn: its bounds, its text if it is a person's, and whether it is."""

    start: int
    end: int
    text: str
    person: bool
    mark: int


def turns_of(text: str, marks: Sequence[Mark], signs: frozenset[str]) -> list[Turn]:
    """Return the turns of a conversation in the text; nothing if there is no conversation."""
    turns = _json_turns(text) if '"' in text else []
    if not turns and "[" in text:
        turns = _instruction_turns(text)
    if not turns and has_rows(signs) and (separators := [sign for sign in "|\t;," if sign in text]):
        turns = _row_turns(text, separators)
    return turns or (_line_turns(text, marks) if marks else [])


def _instruction_turns(text: str) -> list[Turn]:
    """Return the turns between ``[INST]`` and ``[/INST]``, and what follows each."""
    turns: list[Turn] = []
    start = text.find("[INST]")
    while start >= 0 and len(turns) < MAX_TURNS:
        end = text.find("[/INST]", start)
        following = text.find("[INST]", start + 1)
        if end < 0:
            return []
        stop = len(text) if following < 0 else following
        value = start + len("[INST]")
        turns.append(Turn(value, end, text[value:end], person=True, mark=start))
        turns.append(Turn(end + len("[/INST]"), stop, text[end + len("[/INST]") : stop], person=False, mark=end))
        start = following if following >= end else -1
    return turns


def _row_turns(text: str, separators: Sequence[str]) -> list[Turn]:
    """Return turns in lines with a time and a name, if some name tells who it is."""
    rows = []
    for match in beginning_lines(_ROW, text, separators[0]) if len(separators) == 1 else _ROW.finditer(text):
        rows.append((match, meaning_of_label(match[1].strip())))
        if len(rows) == MAX_TURNS:
            break
    kinds = {kind for _, kind in rows}
    if len(rows) <= 1 or not kinds & {"person", "assistant"} or len({match[1] for match, _ in rows}) <= 1:
        return []
    ends = [match.start() for match, _ in rows[1:]] + [len(text)]
    return [
        Turn(match.end(), end, text[match.end() : end], kind not in {"assistant", "tool"}, match.start())
        for (match, kind), end in zip(rows, ends, strict=True)
    ]


def _json_turns(text: str) -> list[Turn]:
    if '"role"' not in text and '"from"' not in text and '"speaker"' not in text and '"author"' not in text:
        return []
    for pattern, role, content in _JSON:
        found: list[tuple[Meaning | None, re.Match[str]]] = []
        for match in pattern.finditer(text):
            found.append((meaning_of_label(match[role]), match))
            if len(found) == MAX_TURNS:
                break
        kinds = {kind for kind, _ in found}
        persons = {"person"} if "person" in kinds else {None} if "assistant" in kinds else set[str | None]()
        if persons:
            return [
                Turn(
                    match.start(content), match.end(content), unescaped(match[content]), kind in persons, match.start()
                )
                for kind, match in found
            ]
    return []


def unescaped(raw: str) -> str:
    """Return the text of a JSON string without its quotes."""
    if "\\" not in raw:
        return raw
    try:
        return str(json.loads(f'"{raw}"', strict=False))
    except ValueError:
        return raw


def _line_turns(text: str, marks: Sequence[Mark]) -> list[Turn]:
    """Return a person's turns of a conversation in lines, and its first and last turn."""
    speakers = _speakers(text, marks)[-_LAST_TURNS:]
    kinds = {kind for _, kind, _ in speakers}
    keyed = bool(speakers) and speakers[0][0].name.lower() in _ROLE_KEYS
    if "person" not in kinds or (len(kinds) == 1 and not speakers[0][0].stamp and not keyed):
        return []
    turns: list[Turn] = []
    ends = [mark.start for mark, _, _ in speakers[1:]] + [len(text)]
    ending = len(text)
    for (mark, kind, value), end in zip(speakers, ends, strict=True):
        if kind != "person" and turns and end != ending:
            continue
        start = min(value, end)
        words = text[start:end].strip() if kind == "person" else ""
        if words[:1] == words[-1:] == '"' and words.count('"') == words.count('\\"') + 2:
            words = unescaped(words[1:-1])  # a string of YAML
        turns.append(Turn(start, end, words, kind == "person", mark.start))
    return turns


def _speakers(text: str, marks: Sequence[Mark]) -> list[tuple[Mark, str, int]]:
    """Return the marks that begin turns, who speaks, and where the turn's text begins."""
    stamped = [mark for mark in marks if mark.stamp and _STAMP.search(mark.stamp)]
    if stamped and (len(stamped) > 1 or text[1 : stamped[0].start].strip()):
        first = stamped[0].start
        return _named(
            [
                mark
                for mark in marks
                if (mark.stamp and _STAMP.search(mark.stamp)) or (mark.meaning == "assistant" and mark.start > first)
            ]
        )
    found: list[tuple[Mark, str, int]] = []
    for number, mark in enumerate(marks):
        if mark.meaning in {"person", "assistant", "tool"}:
            found.append((mark, mark.meaning, mark.value))
        elif mark.name.lower() in _ROLE_KEYS and number + 1 < len(marks):
            following = marks[number + 1]
            kind = meaning_of_label(text[mark.value : following.start].strip(" \t\"'"))
            if kind in {"person", "assistant", "tool"} and following.name.lower() in _CONTENT_KEYS:
                found.append((mark, kind, following.value))
    kinds = {kind for _, kind, _ in found}
    if "assistant" in kinds and "person" not in kinds:
        opener = found[0][0]
        person = next((m.name for m in reversed(marks) if m.start < opener.start and m.level == opener.level), None)
        if person is not None:
            found += [(mark, "person", mark.value) for mark in marks if mark.name == person and mark.meaning is None]
            found.sort(key=lambda one: one[0].start)
    return found


def _named(stamped: Sequence[Mark]) -> list[tuple[Mark, str, int]]:
    """Return the turns of a conversation with times: names are persons unless they are known as something else."""
    kinds = {mark.name: meaning_of_label(mark.name) for mark in stamped}
    if not any(kind == "assistant" for kind in kinds.values()) and len(kinds) > 1:
        last = stamped[-1].name
        return [(mark, "person" if mark.name == last else "assistant", mark.value) for mark in stamped]
    return [
        (mark, kind if kind in {"assistant", "tool"} else "person", mark.value)
        for mark in stamped
        for kind in (kinds[mark.name],)
    ]
