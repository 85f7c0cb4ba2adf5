"""Finds marks in a text: labels such as ``Question:``, headings, and turns of a dialogue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from vsr_runtime.decision.ask.signs import has_headings, has_titles_in_lines
from vsr_runtime.decision.ask.vocabulary import Meaning, meaning_of_label, meaning_of_tag
from vsr_runtime.decision.fast_dataclass import fast_dataclass

_LABEL = re.compile(
    r"\n(?!\d\d[^.)])[ \t]{0,8}(?:[\[(]([^\])\n]{1,32})[\])][ \t]*)?(?:[-*>•#]{1,6}[ \t]+|\d{1,2}[.)][ \t]+)?[*_<|\[(]{0,3}"
    r"([^\W\d_][^\n:：*_\]\[()\"{}<>|=;,.!?\\/#\x02]{0,40}+)"
    r"[*_\])>|]{0,3}(?:[ \t]?[\[(][^\])\n]{1,32}[\])])?[*_]{0,2}[ \t]?[:：](?!//)[*_]{0,2}[ \t]*"
)
_HEADING = re.compile(r"\n[ \t]{0,3}(#{1,6})[ \t]+([^\n]{1,100})")
_RULED = re.compile(r"\n[ \t]{0,3}[=*_~-]{2,40}[ \t]*([^\W\d_][^\n=*_~]{0,60}?)[ \t]*[=*_~-]{2,40}:?[ \t]*(?=\n|$)")
_BRACKETED = re.compile(r"\n[ \t]{0,3}\[([^\W\d_][^\n\]]{0,60})\]:?[ \t]*(?=\n|$)")
_TOKEN = re.compile(
    r"<\|(?:im_start|start_header_id|start)\|>[ \t]*([a-z]{2,12})(?:<\|end_header_id\|>)?|<\|([a-z]{2,12})\|>"
)
_END_TOKEN = re.compile(r"\s*(?:<\|(?:im_end|eot_id|end|endoftext)\|>\s*)+$")
_MAIL = re.compile(r"[\s>]{0,40}+(?:From|To|Sent|Date|Subject|Von|De)\b[^\n:]{0,8}:")
LABEL_LEVEL = 7
MAX_MARKS = 2000


@fast_dataclass(frozen=True, slots=True)
class Mark:
    """A label, a heading or the beginning of a turn.

    Attributes:
        start: position of its line.
        value: position of what follows it.
        name: its words.
        meaning: what it announces; None if unknown.
        level: 1 to 6 for a heading, 7 for a label, 0 for a token of a chat template.
        stamp: the bracketed text before the name, such as a time.
    """

    start: int
    value: int
    name: str
    meaning: Meaning | None
    level: int
    stamp: str = ""


def marks_of(text: str, signs: frozenset[str]) -> list[Mark]:
    """Return the marks of a text whose first character is a line break, in order."""
    marks = _labels(text)
    more: list[Mark] = []
    if has_headings(signs):
        more += [_heading(match[2], match, len(match[1])) for match in beginning_lines(_HEADING, text, "#")]
    if has_titles_in_lines(signs):
        more += _several([_heading(match[1], match, 3) for match in islice(_RULED.finditer(text), MAX_MARKS)], text)
    if "[" in signs:
        more += _several([_heading(match[1], match, 3) for match in islice(_BRACKETED.finditer(text), MAX_MARKS)], text)
    if "<" in text and "<|" in text:
        more += [
            Mark(match.start(), match.end(), name, meaning_of_label(name), 0)
            for match in islice(_TOKEN.finditer(text), MAX_MARKS)
            for name in (match[1] or match[2],)
        ]
    if more:
        taken = {mark.start for mark in more}
        marks = sorted([*more, *(mark for mark in marks if mark.start not in taken)], key=lambda mark: mark.start)
    return marks[:MAX_MARKS]


def _labels(text: str) -> list[Mark]:
    """Return the labels at the beginnings of lines."""
    wide = text.find("：") >= 0
    if not wide and ":" not in text:
        return []
    matches = islice(_LABEL.finditer(text), MAX_MARKS) if wide else beginning_lines(_LABEL, text, ":")
    return [
        Mark(*match.span(), name := words.strip(), meaning_of_label(name), LABEL_LEVEL, stamp or "")
        for match in matches
        for stamp, words in (match.groups(),)
    ]


def beginning_lines(pattern: re.Pattern[str], text: str, sign: str) -> Iterator[re.Match[str]]:
    """Return the matches at beginnings of lines of a pattern that contains a sign."""
    if text.count(sign) * 4 > text.count("\n"):
        return islice(pattern.finditer(text), MAX_MARKS)
    return islice(_at_signs(pattern, text, sign), MAX_MARKS)


def _at_signs(pattern: re.Pattern[str], text: str, sign: str) -> Iterator[re.Match[str]]:
    place = text.find(sign)
    while place >= 0:
        match = pattern.match(text, text.rfind("\n", 0, place))
        if match:
            yield match
        line = text.find("\n", match.end() if match else place)
        place = -1 if line < 0 else text.find(sign, line)


def _several(headings: list[Mark], text: str) -> list[Mark]:
    """Return headings in brackets or lines: one alone counts only if its name tells something."""
    headings = [mark for mark in headings if not _MAIL.match(text, mark.value)]
    return headings if len(headings) > 1 or any(mark.meaning for mark in headings) else []


def without_end_token(text: str) -> str:
    """Return a turn without the end token of a chat template."""
    match = _END_TOKEN.search(text) if text.rstrip().endswith("|>") else None
    return text[: match.start()] if match else text


def _heading(name: str, match: re.Match[str], level: int) -> Mark:
    name = name.strip(" \t#*_:：=-")
    speaker = meaning_of_label(name)
    meaning = speaker if speaker in {"person", "assistant", "tool"} else meaning_of_tag(name)
    return Mark(match.start(), match.end(), name, meaning, level)
