"""Tells a person's prose from instructions, lists, logs, code, tables, mails and lead-ins, paragraph by paragraph."""

from __future__ import annotations

import re
from typing import Literal

from vsr_runtime.decision.ask.free_text import BREAK
from vsr_runtime.decision.fast_dataclass import fast_dataclass

Kind = Literal["prose", "rules", "material", "break", "heading", "aside"]
_BLANK = re.compile(r"\n[ \t\r]*\n\s*")
_EDGE = 24_000
"""Characters at either end of a long text whose paragraphs are examined."""
_MATERIAL_LINE = re.compile(
    r"""\s*(?:
      \[?\d{4}-\d\d-\d\d[T ,] | \[?\d\d:\d\d:\d\d | (?:DEBUG|INFO|WARN|WARNING|ERROR|TRACE|FATAL)\b
    | at\s\S+\( | File\s" | Traceback\b | \w*(?:Error|Exception):\s | goroutine\s\d | \#\d+\s+0x | Caused\sby:
    | diff\s--git | @@\s | [+\-]{3}\s | index\s[0-9a-f]{7} | [+\-](?![\s\d])\S
    | >\s? | \| | [{}\[\]();]+,?$ | \S+[/\\]\S+$ | \S*\.\w{1,5}$ | //|/\*|\#!|\#include | \d+[\t→|]
    | (?:def|class|func|function|import|from|return|const|let|var|public|private|package|use|fn|struct|type|if|for|while|else|try|except|elif|end|static)\b.*[:;{}()]\s*$
    | (?:[AMDRU?]{1,2}|[ ][AMDRU])\s+\S+$ | (?:commit|Author|Date)\b.*[:0-9a-f] | [$%]\s\S
    | (?:[^,\s]+(?:\s[^,\s]+){0,2},){2,}[^,\s]\S*(?:\s\S+)?$ | "[\w-]+"\s?: | \S.*[;{]$ | \s{8,}\S
    )""",
    re.VERBOSE,
)
_MAIL_LINE = re.compile(
    r"[> ]{0,8}(?:From|To|Sent|Date|Subject|Cc|Reply-To|Von|An|Gesendet|Datum|Betreff|De|À|Envoyé|Objet|Para|Enviado|Asunto|"
    r"Da|A|Inviato|Oggetto|Od|Do|Temat)[ \t]?:[ \t]"
)
_QUOTE_INTRO = re.compile(
    r"(?:On|Am|Le|El|Il|W dniu)\b.{5,120}(?:wrote|schrieb|écrit|escribió|scritto|napisał\(?a?\)?)\s?:|-{3,}\s?\w+ \w+\s?-{3,}"
)
_SIGN_OFF = re.compile(
    r"(?:best|kind|warm|many)?\s?(?:regards|thanks|cheers|best|sincerely|yours|greetings|viele grüße|gruß|cordialement|saludos)\b.{0,40}",
    re.IGNORECASE,
)
_BULLET = re.compile(r"[ \t]*(?:[-*•–]|\d{1,3}[.)]|[a-z][.)])[ \t]")
_QUESTION_WORD = re.compile(
    r"(?:so |and |but |now |please |also |then )?(?:what|which|who|whom|whose|where|when|why|how|is|are|does|do|did|can|could|should|would|will|was|were|has|have"
    r"|was|welche|wer|wie|warum|wann|wo|qué|que|cuál|cómo|por qué|quién|dónde|quel|quelle|quels|comment|pourquoi|qui|où|est-ce"
    r"|che|quale|come|perché|chi|dove|qual|como|por que|quem|onde|wat|welke|hoe|waarom|co|jak|jaki|dlaczego|kto|gdzie|czy"
    r"|что|какой|как|почему|кто|где)\b",
    re.IGNORECASE,
)
_TASK_WORD = re.compile(
    r"(?:please |can you |could you |i want you to |i need you to |help me (?:to )?|let'?s )?(?:add|analy[sz]e|build|calculate|change|check|classify|compare|compose|compute|consider|construct|convert|create|debug|define|derive"
    r"|describe|design|determine|differentiate|discuss|distinguish|draft|draw|estimate|evaluate|explain|find|fix|generate|identify|implement|improve|list|make|migrate|name|outline|plan|predict"
    r"|prove|refactor|remove|rename|replace|review|rewrite|show|sketch|solve|state|suggest|suppose|summari[sz]e|tell|translate|update|verify|write|assume|given|let|if|for|in|a|an|the)\b",
    re.IGNORECASE,
)
_DIRECTIVE = re.compile(
    r"(?:^|[.!?;:。！]\s*|\n[ \t]*(?:[-*•]|\d{1,3}[.)])?[ \t]*)(?:please |then |and |also )?(?:do not|don't|never|always|only|answer|respond|reply|you (?:are|must|should|will|may|can|have|get|need|answer|help)|your (?:task|job|answer|goal|response|final|role)"
    r"|if (?:you|the|a|an|it|no|there|some)|use|keep|stay|cite|make sure|ensure|remember|be |prefer|avoid|follow|give|say|begin|start|stop|return|output|format|treat|refer|note that|speak|mark|put|mention|include|look|call|ask|search|refuse|where|when|before|without"
    r"|antworte|nutze|verwende|nenne|benutze|wenn|falls|gib|schreibe|halte|du bist|beantworte|bleib"
    r"|responde|usa|úsalos|utiliza|no |si |eres|cita|réponds|utilise|ne |n'|si |tu es|sers|voici|cite|rispondi|usa|non |se |sei|responda|use|não |se |você"
    r"|antwoord|gebruik|als |odpowiadaj|odpowiedz|użyj|skorzystaj|jeśli|nie |jesteś|отвечай|используй|если|не "
    r"|请|請|不要|如果|使用|只|根据|以下|你是)",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"[.!?。！？](?:\s|$)|[。！？]|\n")
_QUESTION_MARKS = ("?", "？", "؟")


@fast_dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph: its bounds without blanks, and what it is."""

    start: int
    end: int
    kind: Kind


def paragraphs_of(text: str, start: int, end: int) -> list[Paragraph]:
    """Return the paragraphs between two positions; of a long text those at its ends."""
    if end - start > 2 * _EDGE:
        head, tail = text.rfind("\n\n", start, start + _EDGE), text.find("\n\n", end - _EDGE, end)
        head = start + _EDGE if head < 0 else head
        tail = end - _EDGE if tail < 0 else tail
        return [*_classified(text, start, head), Paragraph(head, head, "break"), *_classified(text, tail, end)]
    return _classified(text, start, end)


def _classified(text: str, start: int, end: int) -> list[Paragraph]:
    paragraphs: list[Paragraph] = []
    mail = False
    place = start
    bounds = [(match.start(), match.end()) for match in _BLANK.finditer(text, start, end)]
    for stop, following in (*bounds, (end, end)):
        low, high = _stripped(text, place, stop)
        place = following
        if low >= high:
            continue
        kind = _kind(text, low, high)
        if kind == "break":
            mail = False
        elif _is_mail(text, low, high):
            mail, kind = True, "material"
        elif mail:
            if _SIGN_OFF.match(text, low, min(high, low + 60)):
                mail = False
            kind = "material"
        paragraphs.append(Paragraph(low, high, kind))
    return paragraphs


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def _kind(text: str, start: int, end: int) -> Kind:
    if text[start] == BREAK:
        return "break"
    if "\n" not in text[start : min(end, start + 4000)]:
        return _line_kind(text, start, end)
    lines = text[start : min(end, start + 6000)].split("\n")[:24]
    body = lines[1:] if lines[0].startswith("#") or (lines[0].endswith(":") and len(lines[0]) < _SHORT_LINE) else lines
    bullets = sum(map(bool, map(_BULLET.match, body)))
    if body and bullets * 2 > len(body) and (lines is not body or is_directive("\n".join(body))):
        return "rules"
    if lines[0].startswith("#") and is_directive("\n".join(body)):
        return "rules"
    like = [_MATERIAL_LINE.match(line) is not None for line in lines]
    return "material" if sum(like) * 5 >= len(like) * 3 and (like[-1] or not is_question(lines[-1])) else "prose"


def _line_kind(text: str, start: int, end: int) -> Kind:
    if text[start] == "#" and text[start:end].lstrip("#")[:1] in {" ", "\t"}:
        return "heading"
    line = text[start : min(end, start + 300)]
    if set(line) <= set("-=_*~#· "):
        return "break"
    return "material" if _MATERIAL_LINE.match(line) and not is_question(line) and " " not in line.strip() else "prose"


_SHORT_LINE = 60


def _is_mail(text: str, start: int, end: int) -> bool:
    head = text[start : min(end, start + 600)]
    if _QUOTE_INTRO.match(head):
        return True
    return sum(map(bool, map(_MAIL_LINE.match, head.split("\n")[:8]))) > 1


def is_question(text: str) -> bool:
    """Return whether a text asks something, by its punctuation or its first word."""
    return any(mark in text for mark in _QUESTION_MARKS) or _QUESTION_WORD.match(text.lstrip("¿ \t\"'*_")) is not None


def is_task(text: str) -> bool:
    """Return whether a text begins like a task or like a statement of a problem."""
    return _TASK_WORD.match(text.lstrip(" \t\"'*_")) is not None


def is_directive(text: str) -> bool:
    """Return whether at least half of the sentences instruct an assistant."""
    head = text[:3000]
    sentences = len(_SENTENCE.findall(head.rstrip().rstrip(".!?。！？"))) + 1
    return 2 * len(_DIRECTIVE.findall(head)) >= sentences
