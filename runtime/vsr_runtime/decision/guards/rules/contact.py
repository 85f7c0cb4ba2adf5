"""E-mail addresses, web addresses and phone numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vsr_runtime.decision.guards.recogniser import CONTEXT, SHAPE, SURE, Recogniser, accept, has_context
from vsr_runtime.decision.guards.rules.technical import is_technical_number

_LABEL = rb"[a-z0-9\xff](?:[a-z0-9\xff-]{0,61}[a-z0-9\xff])?"
_GENERIC = (
    rb"com|org|net|edu|gov|mil|int|info|biz|name|dev|app|io|ai|co|me|cloud|online|site|shop|store|tech|xyz|eu|us|uk|de|"
    rb"fr|es|nl|ch|se|no|dk|fi|pl|cz|ru|ua|cn|jp|kr|br|mx|ar|ca|au|nz|za|ng|ke|sg|hk|tw|tr|gr|pt|ie"
)
"""Endings by which a bare name is a domain. Others (``main.py``, ``end.It``) usually mean something else."""
_AT = rb"(?: ?[\[({<] ?(?:at|@) ?[\])}>] ?| at | @ ?|@ )"
_DOT = rb"(?: ?[\[({<] ?(?:dot|\.) ?[\])}>] ?| ?\.| dot )"
_TRAILING = b".,;:!?'\"*_~"
_MAX_TRAILING = 1024
"""Characters that are removed from the end of a web address at most. More are part of it."""
_PHONE = (
    rb"phones?|tel|telephone|mobile|cell|call|calling|fax|whatsapp|dial|sms|texting|ring|reach|handy|telefon|rufnummer|"
    rb"telefono|numero|portable|phone number|contact number"
)
_LEAST, _MOST = 7, 15
"""Digits of a phone number; E.164 allows at most 15."""


def _email(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - re2 ships no types
    """Accept an address without surrounding punctuation. It cannot begin with a dot."""
    del data
    start = match.start() + len(match[0]) - len(match[0].lstrip(b".'"))
    if match[0].lstrip(b".'")[:1] != b"@":
        yield start, match.end(), SHAPE


def _url(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept an address without trailing punctuation and unbalanced closing brackets."""
    del data
    text = match[0]
    surplus = {close: text.count(close) - text.count(opening) for opening, close in (b"()", b"[]", b"{}")}
    end = len(text)
    while end and len(text) - end < _MAX_TRAILING:
        if surplus.get(text[end - 1], 0) > 0:
            surplus[text[end - 1]] -= 1
        elif text[end - 1] not in _TRAILING:
            break
        end -= 1
    yield match.start(), match.start() + end, SHAPE


def _international(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept a number with a plus: certain if valid in its country, likely if its length is possible there."""
    import phonenumbers  # noqa: PLC0415 - its tables are large

    del data
    try:
        number = phonenumbers.parse(match[0].decode("latin-1"))
    except phonenumbers.NumberParseException:
        return
    if phonenumbers.is_possible_number(number):
        yield match.start(), match.end(), SURE if phonenumbers.is_valid_number(number) else SHAPE


def _american(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept three, three and four digits: with hyphens, dots or brackets by form, otherwise only with context."""
    start, end = match.span()
    if _joined(data, start, end):
        return
    separated = match[0][-5:-4] in {b"-", b".", b" "} and (b"(" in match[0]) == (b")" in match[0])
    if separated and any(mark in match[0] for mark in (b"-", b".", b"(")) and match[2][:1] not in {b"0", b"1"}:
        yield start, end, SHAPE
    elif has_context(data, start, end, _PHONE) and not is_technical_number(data, start, end):
        yield start, end, CONTEXT


def _any_number(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    start, end = match.span()
    digits = sum(0x30 <= byte <= 0x39 for byte in match[0])  # noqa: PLR2004 - ASCII's digits
    if not _LEAST <= digits <= _MOST or _joined(data, start, end) or is_technical_number(data, start, end):
        return
    if match[0][1:2] == b"." and match[0].replace(b".", b"", 1).isdigit():
        return  # 0.6421350288866
    if has_context(data, start, end, _PHONE):
        yield start, end, CONTEXT


def _joined(data: bytes, start: int, end: int) -> bool:
    """Return whether the number continues beyond the match, which is then part of another number."""
    return (data[end : end + 2].lstrip(b"-.")[:1].isdigit() and data[end : end + 1] in {b"-", b".", b"/"}) or (
        data[start - 1 : start] in {b"-", b".", b"/"} and data[max(0, start - 2) : start - 1].isdigit()
    )


RULES = (
    Recogniser(
        "EMAIL_ADDRESS",
        "email",
        rb"(?i)[a-z0-9.!#$%&'*+/=?^_`{|}~\xff-]{1,64}@" + _LABEL + rb"(?:\." + _LABEL + rb"){0,6}\.[a-z\xff]{2,24}",
        _email,
        literals=(b"@",),
    ),
    Recogniser(
        "EMAIL_ADDRESS",
        "email-spelled",
        rb"(?i)\b[a-z0-9._+-]{1,64}" + _AT + rb"[a-z0-9-]{1,63}(?:" + _DOT + rb"[a-z0-9-]{1,63}){0,3}" + _DOT
        + rb"(?:" + _GENERIC + rb")\b",
        accept(CONTEXT),
        literals=(b"@", b" at ", b"[at", b"[ at", b"(at", b"( at", b"{at", b"{ at", b"<at", b"< at"),
    ),
    Recogniser("URL", "url", rb"(?i)\b(?:https?|ftps?|wss?|sftp)://[^\s<>\"`\\^{|}]+", _url, literals=(b"://",)),
    Recogniser("URL", "url-www", rb"(?i)\bwww\.[a-z0-9\xff-]{1,63}\.[^\s<>\"`\\^{|}]+", _url, literals=(b"www.",)),
    Recogniser("DOMAIN_NAME", "domain-in-url", rb"(?i)\b(?:https?|ftps?|wss?|sftp)://(?:[^\s/@]{1,64}@)?((?:" + _LABEL + rb"\.){1,8}[a-z\xff]{2,24})\b", accept(SHAPE), literals=(b"://",)),
    Recogniser("DOMAIN_NAME", "domain", rb"\b(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,8}(?:" + _GENERIC + rb")\b", accept(SHAPE), literals=(b".",)),
    Recogniser("PHONE_NUMBER", "phone-international", rb"\B\+\d{1,3}[ .-]{0,2}(?:\(\d{1,4}\)[ .-]?)?\d(?:[ ./-]?\d){4,13}\b", _international, digits=6, literals=(b"+",)),
    Recogniser("PHONE_NUMBER", "phone-american", rb"(?:\b1[ .-])?(?:\B(\()|\b)(\d{3})[)]?[ .-]?\d{3}[ .-]?\d{4}\b", _american, digits=10),
    Recogniser("PHONE_NUMBER", "phone-context", rb"(?:\B\(|\b)\d(?:[ .()/-]{0,2}\d){6,16}\b", _any_number, _PHONE, digits=7),
    Recogniser("PHONE_NUMBER", "imei", rb"\b\d{2}-\d{6}-\d{6}-\d\b", accept(SHAPE), digits=15, literals=(b"-",)),
)  # fmt: skip
