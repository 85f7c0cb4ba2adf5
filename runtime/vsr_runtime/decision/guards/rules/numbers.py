"""Card numbers, bank account numbers and US social security numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any

from stdnum import iban, luhn
from stdnum.exceptions import ValidationError

from vsr_runtime.decision.guards.recogniser import CONTEXT, SHAPE, SURE, Recogniser, has_context
from vsr_runtime.decision.guards.rules.technical import in_hash_or_fraction, is_technical_number

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
"""Number ranges and lengths by card issuer."""
_GROUPINGS = ((4, 4, 4, 4, 3), (4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 5), (4, 4, 4, 1), (6, 13))
_DIGITS = re.compile(rb"\d+")
_BETWEEN = b" \n._/-"
"""Separators between the groups of an account number."""
_SHORTEST = 13
_LENGTHS = {
    entry[:2]: int(entry[2:])
    for entry in [
        "AD24",
        "AE23",
        "AL28",
        "AT20",
        "AZ28",
        "BA20",
        "BE16",
        "BG22",
        "BH22",
        "BR29",
        "BY28",
        "CH21",
        "CR22",
        "CY28",
        "CZ24",
        "DE22",
        "DK18",
        "DO28",
        "EE20",
        "EG29",
        "ES24",
        "FI18",
        "FO18",
        "FR27",
        "GB22",
        "GE22",
        "GI23",
        "GL18",
        "GR27",
        "GT28",
        "HR21",
        "HU28",
        "IE22",
        "IL23",
        "IQ23",
        "IS26",
        "IT27",
        "JO30",
        "KW30",
        "KZ20",
        "LB28",
        "LC32",
        "LI21",
        "LT20",
        "LU20",
        "LV21",
        "LY25",
        "MC27",
        "MD24",
        "ME22",
        "MK19",
        "MR27",
        "MT31",
        "MU30",
        "NL18",
        "NO15",
        "PK24",
        "PL28",
        "PS29",
        "PT25",
        "QA29",
        "RO24",
        "SA24",
        "RS22",
        "SC31",
        "SE24",
        "SI19",
        "SK24",
        "SM27",
        "SN24",
        "ST25",
        "SV28",
        "TL23",
        "TN24",
        "TR26",
        "UA29",
        "VA22",
        "VG24",
        "XK20",
    ]
}
"""Length of an IBAN by country (ISO 13616 registry)."""


def _card(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - re2 ships no types
    """Accept a card number that begins with the match: in the groups of cards, or the whole run of digits."""
    start, whole = match.start(), match.end()
    if data[start] not in b"23456" or data[max(0, start - 1) : start].isdigit() or _is_fraction(match[0]):
        return
    for end, usual in _card_ends(data, start, whole):
        digits = bytes(byte for byte in data[start:end] if byte in b"0123456789")
        if data[end : end + 1].isdigit() or not _ISSUERS.fullmatch(digits) or in_hash_or_fraction(data, start, end):
            continue
        if luhn.is_valid(digits.decode()) and len(set(digits)) > 1:
            yield start, end, SURE
            return
        if usual and has_context(data, start, end, _CARD) and not is_technical_number(data, start, end):
            yield start, end, CONTEXT
            return


def _is_fraction(text: bytes) -> bool:
    """Return whether the only separator is one dot: 4.630942405465."""
    return text.count(b".") == 1 and text.replace(b".", b"").isdigit()


def _card_ends(data: bytes, start: int, whole: int) -> Iterator[tuple[int, bool]]:
    """Yield possible ends of the number, longest first, and whether its groups are those of cards."""
    first = _DIGITS.match(data, start, whole)
    if first and first.end() - start in {4, 6}:
        groups = [(group.start(), group.end()) for group in islice(_DIGITS.finditer(data, start, whole), 5)]
        sizes = tuple(end - begin for begin, end in groups)
        for grouping in _GROUPINGS:
            if sizes[: len(grouping)] == grouping:
                yield groups[len(grouping) - 1][1], True
    elif first and first.end() - start >= _SHORTEST:
        yield first.end(), True
    if not _goes_on(data, start, whole):
        yield whole, False


def _goes_on(data: bytes, start: int, end: int) -> bool:
    """Return whether digits are adjacent: a loose run of digits is then part of a longer one."""
    return any(byte in b"0123456789" for byte in (*data[max(0, start - 2) : start], *data[end : end + 2]))


def _iban(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept as many characters as an IBAN of its country has, if the checksum is valid or the context supports it."""
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
        in_uuid = data[max(0, match.start() - 1) : match.start()] == b"-"
        if not in_uuid and has_context(data, match.start(), match.start() + end, _ACCOUNT):
            yield match.start(), match.start() + end, CONTEXT


def _ssn(data: bytes, match: Any) -> Iterator[tuple[int, int, float]]:  # noqa: ANN401 - as above
    """Accept an assigned number with hyphens; other forms need a context word."""
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
    Recogniser("CREDIT_CARD", "card", rb"\d(?:[ \n./_-]{0,2}\d){12,18}", _card, digits=13),
    Recogniser("IBAN_CODE", "iban", rb"(?i)\b[a-z]{2}\d{2}(?:[ \n._/-]{0,2}[a-z0-9]){11,30}\b", _iban, digits=2),
    Recogniser("US_SSN", "ssn", rb"\d{3}[ \n./_-]{0,3}\d{2}[ \n./_-]{0,3}\d{4}", _ssn, digits=9),
)
