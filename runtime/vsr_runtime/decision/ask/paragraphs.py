"""Tells a person's prose from instructions, lists, logs, code, tables, mails and lead-ins, paragraph by paragraph."""

from __future__ import annotations

import re
from typing import Literal

from vsr_runtime.decision.ask.courtesy import is_sign_off, is_surroundings
from vsr_runtime.decision.ask.message import BREAK
from vsr_runtime.decision.ask.sentences import is_directive, is_question
from vsr_runtime.decision.fast_dataclass import fast_dataclass

Kind = Literal["prose", "list", "rules", "material", "break", "heading"]
_BLANK = re.compile(r"\n[ \t\r]*\n\s*")
_SHORT = 1500
_HEAD, _TAIL = 4, 7
"""Paragraphs at either end of a long text that are examined."""
_LONGEST_ASIDE = 300
_EDGE = 24_000
"""Characters at either end of a long text in which they are looked for."""
_MOST_LINE = 300
"""Characters of a line that are matched. The pattern takes time in proportion to the square of a line's length."""
_MATERIAL_LINE = re.compile(
    r"""\s*(?:
      \[?\d{4}-\d\d-\d\d[T ,] | \[?\d\d:\d\d:\d\d | (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\w*\s+\d+\s\d\d: | (?:DEBUG|INFO|WARN|WARNING|ERROR|TRACE|FATAL)\b
    | at\s\S+\( | File\s" | Traceback\b | \w*(?:Error|Exception):\s | goroutine\s\d | \#\d+\s+0x | Caused\sby:
    | diff\s--git | @@\s | [+\-]{3}\s | index\s[0-9a-f]{7} | [+\-](?![\s\d])\S
    | >\s? | \| | [{}\[\]();]+,?$ | \S+[/\\]\S+$ | \S*\.\w{1,5}$ | //|/\*|\#!|\#include | \d+[\t→|]
    | (?:def|class|func|function|import|from|return|const|let|var|public|private|package|use|fn|struct|type|if|for|while|else|try|except|elif|end|static)\b.*[:;{}()]\s*$
    | (?:[AMDRU?]{1,2}|[ ][AMDRU])\s+\S+$ | (?:commit|Author|Date)\b.*[:0-9a-f] | [$%]\s\S
    | (?:[^,\s]+(?:\s[^,\s]+){0,2},){2,}[^,\s]\S*(?:\s\S+)?$ | "[\w-]+"\s?: | \S.*[;{]$ | \s{8,}\S
    )""",
    re.VERBOSE,
)
_FIELDS = (
    "From|To|Sent|Date|Subject|Cc|Reply-To|Von|An|Gesendet|Datum|Betreff|De|À|Envoyé|Objet|Para|Enviado|Asunto|"
    "Da|A|Inviato|Oggetto|Od|Do|Temat"
)
MAIL_FIELDS = frozenset(_FIELDS.split("|"))
_MAIL_LINE = re.compile(rf"[> ]{{0,8}}(?:{_FIELDS})[ \t]?:[ \t]")
_QUOTE_INTRO = re.compile(
    r"(?:On|Am|Le|El|Il|W dniu)\b.{5,120}(?:wrote|schrieb|écrit|escribió|scritto|napisał\(?a?\)?)\s?:|-{3,}\s?\w+ \w+\s?-{3,}"
)
_SIGN_OFF = re.compile(
    r"(?:best|kind|warm|many)?\s?(?:regards|thanks|cheers|best|sincerely|yours|greetings|viele grüße|gruß|cordialement|saludos)\b.{0,40}",
    re.IGNORECASE,
)
_BULLET = re.compile(r"[ \t]*(?:[-*•–]|\d{1,3}[.)]|[a-z][.)])[ \t]")


@fast_dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph: its bounds without blanks, and what it is."""

    start: int
    end: int
    kind: Kind


def paragraphs_of(text: str, start: int, end: int) -> list[Paragraph]:
    """Return the paragraphs between two positions; of a long text those at its ends."""
    if end - start < _SHORT:
        return _classified(text, start, end, mail=False)[0]
    head, tail = start, end
    for _ in range(_HEAD):
        place = text.find("\n\n", head + 1, min(end, start + _EDGE))
        if place < 0:
            break
        head = place
    for _ in range(_TAIL):
        place = text.rfind("\n\n", max(head, end - _EDGE), tail)
        if place < 0:
            break
        tail = place
    if tail <= head:
        return _classified(text, start, end, mail=False)[0]
    first, mail = _classified(text, start, head, mail=False)
    return [*first, Paragraph(head, head, "break"), *_classified(text, tail, end, mail=mail)[0]]


def _classified(text: str, start: int, end: int, *, mail: bool) -> tuple[list[Paragraph], bool]:
    """Return paragraphs, and whether a mail goes on behind them."""
    paragraphs: list[Paragraph] = []
    place = start
    bounds = [(match.start(), match.end()) for match in _BLANK.finditer(text, start, end)]
    for stop, following in (*bounds, (end, end)):
        low, high = _stripped(text, place, stop)
        place = following
        if low >= high:
            continue
        kind = _kind(text, low, high)
        if kind == "prose" and high - low <= _LONGEST_ASIDE and _is_aside(text[low:high]):
            kind = "material"
        if kind == "break":
            mail = False
        elif _is_mail(text, low, high):
            mail, kind = True, "material"
        elif mail:
            mail = _SIGN_OFF.match(text, low, min(high, low + 60)) is None
            kind = "material"
        paragraphs.append(Paragraph(low, high, kind))
    return paragraphs, mail


def _is_aside(text: str) -> bool:
    return is_sign_off(text) or is_surroundings(text)


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    left = piece.lstrip()
    return end - len(left), end - len(left) + len(left.rstrip())


def _kind(text: str, start: int, end: int) -> Kind:
    if text[start] == BREAK:
        return "break"
    if "\n" not in text[start : min(end, start + 4000)]:
        return _line_kind(text, start, end)
    lines = text[start : min(end, start + 6000)].split("\n", 16)[:16]
    if not lines[0].strip(_RULING):
        del lines[0]
    body = lines[1:] if lines[0].startswith("#") or (lines[0].endswith(":") and len(lines[0]) < _SHORT_LINE) else lines
    return _listed(lines, body) or ("material" if _is_material(lines) else "prose")


def _listed(lines: list[str], body: list[str]) -> Kind | None:
    """Return ``rules`` for instructions below a title or as a list, ``list`` for another list, and None for the rest."""
    bullets = sum(map(bool, map(_BULLET.match, body)))
    text = "\n".join(body)
    if body and bullets * 2 > len(body) and (lines is not body or is_directive(text)):
        return "rules"
    if body is lines and bullets >= _FEW and bullets == len(body) and not is_question(text):
        return "list"
    titled = lines[0].startswith("#") or (body is not lines and lines[0].count(" ") < _TITLE_WORDS)
    return "rules" if titled and is_directive(text) else None


def _is_material(lines: list[str]) -> bool:
    if _is_regular(lines):
        return True
    like = [_MATERIAL_LINE.match(line[:_MOST_LINE]) is not None for line in lines]
    return sum(like) * 5 >= len(like) * 3 and (like[-1] or not is_question(lines[-1]))


def _line_kind(text: str, start: int, end: int) -> Kind:
    if text[start] == "#" and text[start:end].lstrip("#")[:1] in {" ", "\t"}:
        return "heading"
    line = text[start : min(end, start + _MOST_LINE)]
    if line[0] in _RULING and not line.strip(_RULING):
        return "break"
    return "material" if " " not in line and not is_question(line) and _MATERIAL_LINE.match(line) else "prose"


def _is_regular(lines: list[str]) -> bool:
    """Return whether most lines begin with the same sequence of letters, digits and signs, as logs and tables do."""
    if len(lines) < _FEW:
        return False
    shapes = _SHAPE.sub("a", "\n".join([line[:14] for line in lines]).translate(_DIGITS)).split("\n")
    most = max(set(shapes), key=shapes.count)
    return shapes.count(most) * 10 >= len(lines) * 7 and "0" in most and not most.startswith(("0. ", "0) "))


_FEW = 4
_DIGITS = str.maketrans("123456789", "0" * 9)
_SHAPE = re.compile(r"[^\W\d_]+")
_SHORT_LINE = 60
_TITLE_WORDS = 3
_RULING = "-=_*~#· "


def _is_mail(text: str, start: int, end: int) -> bool:
    head = text[start : min(end, start + 600)]
    if head[-1] in ":-" and _QUOTE_INTRO.match(head):
        return True
    return "\n" in head and ":" in head and sum(map(bool, map(_MAIL_LINE.match, head.split("\n")[:8]))) > 1
