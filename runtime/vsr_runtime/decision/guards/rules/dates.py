"""Dates and times of day, in the forms and languages in which people write them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vsr_runtime.decision.guards.recogniser import SHAPE, Recogniser, accept, compile_bytes

_MONTH = (
    rb"(?:jan(?:uary|uar|vier|uari|eiro)?|feb(?:ruary|ruar|rero|braio|ruari)?|f\xffv(?:rier)?|fevereiro|mar(?:ch|s|zo|\xffo)?|m\xffrz|maart|"
    rb"apr(?:il|ile)?|avril|abril|may|mai|mayo|maggio|mei|maio|june?|juni|juin|junio|giugno|junho|july?|juli|juillet|julio|"
    rb"luglio|julho|aug(?:ust|ustus)?|ao\xfft|agosto|sept?(?:ember|embre|iembre)?|settembre|setembro|o[ck]t(?:ober|obre)?|ottobre|"
    rb"outubro|octubre|nov(?:ember|embre|iembre|embro)?|de[cz](?:ember|iembre|embro)?|d\xffcembre|dicembre|enero|gennaio)"
)
_DAY = rb"(?:0?[1-9]|[12]\d|3[01])"
_HOUR_WORD = rb"(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_CLOCK = rb"(?:[01]?\d|2[0-3])"
_YEAR = rb"(?:1[5-9]|20|21)\d\d"
_LEVEL = rb"(?i)^[^\n]{0,40}?(?:\b(?:trace|debug|info|notice|warn(?:ing)?|error|fatal|critical|panic)\b|level=)"
_DATE_BEFORE = rb"\d{4}[-/.]\d\d[-/.]\d\d[T ](?:\d\d:){0,2}$|:\d\d(?:[.,]\d{1,9})?[+-]$"
_FRACTION = rb"^(?:[.,]\d{3}|:\d)"
_VERSION_BEFORE = rb"(?i)(?:[a-z:@/_=\"'-]|\b(?:version|release|upgraded?|build|from|to)[ =:\"']{1,4})$"
_MONTHS, _SHORT_YEAR = 12, 2
_LONGEST_PREFIX = 48
"""Characters after a time in which a log line has its level."""


def _not_in_a_log(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - re2 ships no types
    """Accept a date and time, unless it has seconds and begins a line of a log, whose level follows."""
    start, end = match.span()
    begins = data[max(0, start - 1) : start].lstrip(b"[") in {b"", b"\n"}
    stamp = match[0].count(b":") > 1
    if not (begins and stamp and compile_bytes(_LEVEL).search(data[end : end + _LONGEST_PREFIX])):
        yield start, end, SHAPE


def _time(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept a time, unless it belongs to a date before it, about which another rule decides, or begins a log line."""
    start, end = match.span()
    before, after = data[max(0, start - 17) : start], data[end : end + 4]
    technical = compile_bytes(_DATE_BEFORE).search(before) or compile_bytes(_FRACTION).search(after)
    if not technical and not before.endswith(b"[") and not after.startswith(b"]") and not after[:1].isdigit():
        yield from _not_in_a_log(data, match)


def _date(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept a date in numbers, unless it has no month, or is a version: `14.6.23-rc1`, `image:14.6.23`."""
    start, end = match.span()
    dotted = b"." in match[0]
    first, second = int(match[1]), int(match[2])
    if min(first, second) > _MONTHS or (dotted and second > _MONTHS):
        return
    before, after = data[max(0, start - 12) : start], data[end : end + 2]
    version = compile_bytes(_VERSION_BEFORE).search(before) or (after[:1] in {b"-", b"+", b"."} and after[1:].isalnum())
    if not (dotted and len(match[3]) == _SHORT_YEAR and version):
        yield start, end, SHAPE


def _rule(name: str, pattern: bytes, digits: int, literals: tuple[bytes, ...] = ()) -> Recogniser:
    return Recogniser("DATE_TIME", name, pattern, accept(SHAPE), digits=digits, literals=literals)


_IN_DIGITS = (
    rb"(?:0?[1-9]|1[0-2])(?:[:.][0-5]\d)? ?(?:[ap]\. ?m\.|[ap]m\b)",
    _CLOCK + rb"(?:[.:][0-5]\d)? ?uhr(?: [0-5]\d)?\b",
    _CLOCK + rb" ?(?:h ?[0-5]\d|heures?(?: [0-5]\d)?)\b",
)
_IN_WORDS = (
    rb"(?:" + _CLOCK + rb"|" + _HOUR_WORD + rb") ?o ?'? ?clock\b",
    rb"(?:half past|quarter (?:past|to)|(?:five|ten|twenty) (?:past|to)) (?:" + _CLOCK + rb"|" + _HOUR_WORD + rb")\b",
    rb"(?:at|by|until|till|around|before|after|from) (?:noon|midday|midnight)\b",
)
_TIME_WORDS = (b"clock", b"past", b"quarter", b"five to", b"ten to", b"twenty to", b"noon", b"midday", b"midnight")
_OF_YEAR = rb"(?:,? (?:de |del |of )?" + _YEAR + rb")"
_DAY_OF_MONTH = _DAY + rb"(?:st|nd|rd|th|er|\.|\xff)?(?: of| de)? " + _MONTH
RULES = (
    Recogniser("DATE_TIME", "date-iso", rb"\b(?:1[89]|20|21)\d\d[-/.](?:0?[1-9]|1[0-2])[-/.]" + _DAY + rb"(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z\b|[+-]\d\d:?\d\d\b)?|\b)", _not_in_a_log, digits=6),
    Recogniser("DATE_TIME", "date", rb"\b(" + _DAY + rb")[-/.](" + _DAY + rb")[-/.]((?:1[89]|20|21)\d\d|\d\d)\b", _date, digits=4),
    _rule("month-year", rb"\b(?:0[1-9]|1[0-2])/(?:\d\d|(?:19|20)\d\d)\b", 4, (b"/",)),
    _rule("date-words", rb"(?i)\b(?:(?:" + _DAY_OF_MONTH + rb"|" + _MONTH + rb"\.? " + _DAY + rb"(?:st|nd|rd|th)?)\b\.?" + _OF_YEAR + rb"?|" + _MONTH + rb"\.?" + _OF_YEAR + rb")\b", 1),
    _rule("date-signs", rb"\b(?:19|20)\d\d\xff ?(?:0?[1-9]|1[0-2])\xff ?" + _DAY + rb"\xff", 6, (b"\xff",)),
    Recogniser("DATE_TIME", "time", rb"(?i)\b" + _CLOCK + rb":[0-5]\d(?::[0-5]\d)?(?: ?[ap]\.?m\b)?", _time, digits=3, literals=(b":",)),
    _rule("time-letters", rb"(?i)\b(?:" + rb"|".join(_IN_DIGITS) + rb")", 1),
    _rule("time-words", rb"(?i)\b(?:" + rb"|".join(_IN_WORDS) + rb")", 0, _TIME_WORDS),
)  # fmt: skip
