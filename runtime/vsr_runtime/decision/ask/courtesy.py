"""Tells greetings, thanks, signatures, and lines about the surroundings from what a person asks."""

from __future__ import annotations

import re

_LONGEST, _LONGEST_LINE = 90, 300
_GREETING = re.compile(
    r"(?:hi|hello|hey|good (?:morning|afternoon|evening)|dear|hallo|guten tag|hola|bonjour|ciao|olá|cześć|hej)"
    r"(?: (?:there|all|everyone|everybody|team|folks|guys|again|zusammen|a todos|à tous))?[ \t]?[!,.:)]{1,3}\s+(?=\S)",
    re.IGNORECASE,
)
_NAME = r"(?:\s*\n[^\n?]{1,40}){0,2}"
_SIGN_OFF = re.compile(
    r"(?:(?:many|best|kind|kindest|warm|with|vielen|muchas|mille|molte|viele|liebe|mit freundlichen)\s+)?"
    r"(?:(?:thanks|thank you|thx|danke?|merci|gracias|grazie|obrigad[oa]|dziękuję|tack)"
    r"(?:\s+(?:in advance|so much|a lot|very much|a bunch|again|all|everyone|for (?:your|the|any) \w+|im voraus|"
    r"d'avance|de antemano|in anticipo|por adelantado))*"
    r"|cheers|regards|wishes|best|sincerely|yours(?: (?:truly|sincerely|faithfully))?|greetings|grüße|grüßen|gruß|"
    r"cordialement|saludos|saluti|pozdrawiam)[ \t]*[.,!:;)(\-\u2013\u2014\U0001f600-\U0001f64f]{0,4}" + _NAME + r"\s*$",
    re.IGNORECASE,
)
_PIECE = re.compile(r"[.;|]\s+|\n|,\s+(?=[A-Z])")
_NOW = re.compile(
    r"(?:today(?:'s date)?|tonight|(?:the )?(?:current|local|present) (?:date|time|day|year|user|locale)[\w ]{0,16}|heute|aujourd'hui|hoy|oggi)"
    r"\s*(?:is|:|ist|est|es|=|nous sommes)\s.{1,60}$"
    r"|it is (?:currently|now)\s.{1,60}$",
    re.IGNORECASE,
)
_PAIR = re.compile(r"([^\W\d_][\w '/-]{1,30})\s?[:=]\s?\S.{0,50}$")
_NAMES = """
name user username email id locale language country city location device timezone zone time date day os platform version
browser plan tier role region currency units theme client app tenant session ip agent shell directory sprache ort zeit
datum idioma langue heure fuseau fecha hora lingua
"""
_SURROUNDINGS = frozenset(_NAMES.split())
_ATTACHED = re.compile(
    r"(?:i|we|i've|we've|the user|user)(?: have| has)?(?: also| just)? "
    r"(?:uploaded|attached|mounted|pasted|provided you with|given you)\b[^?\n]{1,140}\.$",
    re.IGNORECASE,
)


def greeting_of(text: str) -> int:
    """Return how many characters at the beginning of a text only greet."""
    match = _GREETING.match(text) if text[:1].isalpha() else None
    return match.end() if match else 0


def is_sign_off(text: str) -> bool:
    """Return whether a paragraph only thanks or ends a mail."""
    return len(text) <= _LONGEST and _SIGN_OFF.match(text) is not None


def is_surroundings(text: str) -> bool:
    """Return whether a paragraph only tells date, place, names and settings, or what was attached."""
    if len(text) > _LONGEST_LINE or "?" in text or text[-1] == ":":
        return False
    if _ATTACHED.match(text):
        return True
    if ":" not in text and "=" not in text and _NOW.match(text.rstrip(".")) is None:
        return False
    pieces = [piece for piece in _PIECE.split(text.rstrip(".")) if piece]
    return all(map(_tells_surroundings, pieces))


def _tells_surroundings(piece: str) -> bool:
    if _NOW.match(piece):
        return True
    pair = _PAIR.match(piece)
    return pair is not None and not _SURROUNDINGS.isdisjoint(pair[1].lower().replace("-", " ").split())
