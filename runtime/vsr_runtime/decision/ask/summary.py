"""Finds the wish of the person in notes that replace an earlier part of a conversation (compaction)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from vsr_runtime.decision.ask.marks import LABEL_LEVEL, Mark
from vsr_runtime.decision.ask.signs import has_numbers
from vsr_runtime.decision.ask.vocabulary import words_of

_HEADING = re.compile(
    r"\n[ \t]{0,4}(?:(\d{1,2}[.)][ \t]*|#{1,6}[ \t]+|\*\*)(?:\*\*|__)?([^\W\d_][^\n]{2,70})|()([^\W\d_][^\n:]{2,50}+:)[ \t]*(?=\n))"
)
_WISH = """
goal goals objective objectives intent request requests asked want wants wanted wish wishes task tasks aim purpose
mission assignment question problem issue prompt instructions messages ziel ziele auftrag wunsch aufgabe anliegen
objetivo tarea solicitud objectif demande tâche cel zadanie 目标 任务 需求 请求
"""
_COURSE = """
next open pending done finished completed accomplished remaining progress status state current found findings
discovered discoveries looked read files file decisions decided concepts technical context errors fixes blockers left
todo steps step work knowledge code changes learned history key important relevant ongoing result results nächste
offen offene ergebnis ergebnisse dateien pendiente próximo hecho suivant restant fait otwarte następny 下一步 进展 状态
文件
"""
_WISHES, _COURSES = frozenset(_WISH.split()), frozenset(_COURSE.split())
_ENOUGH_COURSE = 2
_NUMBERED = re.compile(r"\n(?:[ \t]{0,4}\d{1,2}[.)] |\*\*|#)")
_LONGEST = 8
_MOST_SECTIONS = 400
_LIST_ITEM = re.compile(r"[ \t]*(?:[-*•]|\d{1,2}[.)])[ \t]+")


def goal_of_summary(text: str, marks: Sequence[Mark], signs: frozenset[str]) -> tuple[int, int] | None:
    """Return the bounds of the section with the person's wish; None if the text is no such summary.

    Args:
        text: a text whose first character is a line break.
        marks: its labels and headings.
        signs: the signs at the beginnings of its lines.
    """
    empty = [mark for mark in marks if text[mark.value : mark.value + 1] == "\n"]
    if not has_numbers(signs) and "**" not in signs:
        headings = [mark for mark in marks if mark.level < LABEL_LEVEL]
        labels = len([mark for mark in empty if mark.level == LABEL_LEVEL])
        if not (labels or headings) or len(headings) + max(labels, text.count(":\n")) <= _ENOUGH_COURSE:
            return None
    if len(empty) <= _ENOUGH_COURSE and not _NUMBERED.search(text):
        return None
    sections: list[tuple[int, int, bool, bool]] = []
    for match in islice(_HEADING.finditer(text), _MOST_SECTIONS):
        title, _, rest = (match[2] or match[4]).partition(":")
        inline = rest.strip(" \t*_") != ""
        title = title.rstrip(" \t*_")
        words = words_of(title)
        if not 1 <= len(words) <= _LONGEST or title.endswith((".", ",", ";", "?", "!")):
            continue
        wish, course = any(word in _WISHES for word in words), any(word in _COURSES for word in words)
        if wish or course:
            value = text.index(":", match.start()) + 1 if inline else match.end()
            sections.append((match.start(), value, wish, course))
    wishes = [number for number, (_, _, wish, _) in enumerate(sections) if wish]
    if not wishes or sum(course for _, _, _, course in sections) < _ENOUGH_COURSE:
        return None
    for number in wishes:
        end = sections[number + 1][0] if number + 1 < len(sections) else len(text)
        start = sections[number][1]
        bounds = _content(text, start, end)
        if bounds is not None:
            return bounds
    return None


def _content(text: str, start: int, end: int) -> tuple[int, int] | None:
    piece = text[start:end]
    stripped = piece.strip()
    if not stripped:
        return None
    begin = start + piece.index(stripped)
    item = _LIST_ITEM.match(text, begin, end)
    return (item.end() if item else begin), begin + len(stripped)
