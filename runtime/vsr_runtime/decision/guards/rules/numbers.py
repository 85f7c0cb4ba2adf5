"""Numbers of cards, accounts and persons."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

from vsr_runtime.decision.guards.recogniser import CONTEXT, SHAPE, SURE, Recogniser, has_context

_CARD = (
    rb"cards?|credit|debit|visa|mastercard|master card|amex|american express|discover|diners|jcb|maestro|cvv|cvc|"
    rb"expir(?:y|es|ation)|kreditkarte|karte|carte|tarjeta|carta"
)
_ACCOUNT = rb"iban|account|konto|bank|compte|cuenta|conto|rekening|transfer|wire"
_SSN = rb"ssn|social security|soc sec|social|tax ?id|taxpayer|itin|ssns"
_ISSUERS = re.compile(
    rb"4(?:.{12}|.{15}|.{18})|(?:5[1-5]|2[2-7]).{14}|3[47].{13}|3(?:0[0-5]|[689]).{11,16}|6(?:011|4[4-9]|5|2).{12,17}|35.{14}"
    rb"|(?:50|5[6-8]|6[0-9]).{11,17}"
)
"""Which issuers have which numbers, and of what length."""
_GROUPINGS = ((4, 4, 4, 4, 3), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 5), (4, 4, 4, 1), (6, 13))
_DIGITS = re.compile(rb"\d+")
_BETWEEN = b" \n._/-"
"""What may stand between the groups of an account's number."""
_SHORTEST = 13
_LENGTHS = dict(
    zip(
        re.findall(
            "..",
            "ADAEALATAZBABEBGBHBRBYCHCRCYCZDEDKDOEEEGESFIFOFRGBGEGIGLGRGTHRHUIEILIQISITJOKWKZLBLCLILTLULVLYMCMDMEMKMRMTMU"
            "NLNOPKPLPSPTQAROSARSSCSESISKSMSNSTSVTLTNTRUAVAVGXK",
        ),
        map(
            int,
            [
                "24",
                "23",
                "28",
                "20",
                "28",
                "20",
                "16",
                "22",
                "22",
                "29",
                "28",
                "21",
                "22",
                "28",
                "24",
                "22",
                "18",
                "28",
                "20",
                "29",
                "24",
                "18",
                "18",
                "27",
                "22",
                "22",
                "23",
                "18",
                "27",
                "28",
                "21",
                "28",
                "22",
                "23",
                "23",
                "26",
                "27",
                "30",
                "30",
                "20",
                "28",
                "32",
                "21",
                "20",
                "20",
                "21",
                "25",
                "27",
                "24",
                "22",
                "19",
                "27",
                "31",
                "30",
                "18",
                "15",
                "24",
                "28",
                "29",
                "25",
                "29",
                "24",
                "24",
                "22",
                "31",
                "24",
                "19",
                "24",
                "27",
                "24",
                "25",
                "28",
                "23",
                "24",
                "26",
                "29",
                "22",
                "24",
                "20",
            ],
        ),
        strict=True,
    )
)
"""How long an IBAN of a country is (the registry of ISO 13616)."""


def _card(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - re2 ships no types
    """A card number that begins where the match does: in groups as cards have them, or all of a row of digits."""
    start, whole = match.start(), match.end()
    if data[start] not in b"23456" or data[max(0, start - 1) : start].isdigit():
        return
    for end, usual in _card_ends(data, start, whole):
        digits = bytes(byte for byte in data[start:end] if byte in b"0123456789")
        if data[end : end + 1].isdigit() or not _ISSUERS.fullmatch(digits):
            continue
        if luhn.is_valid(digits.decode()) and len(set(digits)) > 1:
            yield start, end, SURE
            return
        if usual and has_context(data, start, end, _CARD):
            yield start, end, CONTEXT
            return


def _card_ends(data: bytes, start: int, whole: int) -> Iterator[tuple[int, bool]]:
    """Where a number may end, and whether its groups are those of cards; the longest first."""
    first = _DIGITS.match(data, start, whole)
    if first and first.end() - start in {4, 6}:
        groups = [(found.start(), found.end()) for found in islice(_DIGITS.finditer(data, start, whole), 5)]
        sizes = tuple(end - begin for begin, end in groups)
        for grouping in _GROUPINGS:
            if sizes[: len(grouping)] == grouping:
                yield groups[len(grouping) - 1][1], True
    elif first and first.end() - start >= _SHORTEST:
        yield first.end(), True
    if not _goes_on(data, start, whole):
        yield whole, False


def _goes_on(data: bytes, start: int, end: int) -> bool:
    """Whether digits stand beside: then a loose row of digits is a part of a longer one."""
    return any(byte in b"0123456789" for byte in (*data[max(0, start - 2) : start], *data[end : end + 2]))


def _iban(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """As many characters as an IBAN of its country has; what a checksum does not hold for, a word near by may."""
    text = match[0]
    length = _LENGTHS.get(text[:2].decode("latin-1").upper())
    if length is None:
        return
    places = [place for place, byte in enumerate(text) if byte not in _BETWEEN]
    if len(places) < length:
        return
    end = places[length - 1] + 1
    if text[end : end + 1].isalnum():
        return
    number = text[:end].translate(None, _BETWEEN).decode("latin-1")
    try:
        iban.validate(number, check_country=False)
        yield match.start(), match.start() + end, SURE
    except ValidationError:
        if has_context(data, match.start(), match.start() + end, _ACCOUNT):
            yield match.start(), match.start() + end, CONTEXT


def _ssn(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """With hyphens and numbers that are given out it is one; otherwise where a word near by says so."""
    start, end = match.span()
    if _goes_on_by(data, start, end):
        return
    digits = bytes(byte for byte in match[0] if byte in b"0123456789")
    given_out = digits[:3] not in {b"000", b"666"} and digits[3:5] != b"00" and digits[5:] != b"0000"
    joined = match[0].count(b"-") == 2 and b" - " not in match[0]  # noqa: PLR2004 - 3-2-4, and no sum
    if joined and given_out and digits[:1] != b"9":
        yield start, end, SHAPE
    elif has_context(data, start, end, _SSN):
        yield start, end, CONTEXT


def _goes_on_by(data: bytes, start: int, end: int) -> bool:
    if data[max(0, start - 1) : start].isdigit() or data[end : end + 1].isdigit():
        return True
    before = data[max(0, start - 1) : start] in {b"-", b"."} and data[max(0, start - 2) : start - 1].isdigit()
    return before or (data[end : end + 1] in {b"-", b"."} and data[end + 1 : end + 2].isdigit())


RULES = (
    Recogniser("CREDIT_CARD", "card", rb"\d(?:[ \n./_-]{0,2}\d){12,18}", _card),
    Recogniser("IBAN_CODE", "iban", rb"(?i)\b[a-z]{2}\d{2}(?:[ \n._/-]{0,2}[a-z0-9]){11,30}\b", _iban),
    Recogniser("US_SSN", "ssn", rb"\d{3}[ \n./_-]{0,3}\d{2}[ \n./_-]{0,3}\d{4}", _ssn),
)
