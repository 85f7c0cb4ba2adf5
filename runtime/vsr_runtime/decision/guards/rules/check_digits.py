"""Check digits of numbers that python-stdnum does not have, from public descriptions of their issuers."""

from __future__ import annotations

from datetime import date

_SOCIAL_SECURITY = (2, 1, 2, 5, 7, 1, 2, 1, 2, 1, 2, 1)
_MEDICARE = (1, 3, 7, 9, 1, 3, 7, 9)
_UNUSED_NINO = frozenset({"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"})


def _digits(number: str) -> list[int]:
    return [int(character) for character in number if character.isdigit()]


def is_german_social_security(number: str) -> bool:
    """Return whether a Rentenversicherungsnummer is valid: area, birth date, initial, serial number, check digit.

    VKVV, section 2 (6): the initial counts as two digits; the digit sums of the weighted digits, modulo 10.
    """
    plain = "".join(character for character in number if character.isalnum())
    day, month = int(plain[2:4]), int(plain[4:6])
    if not (1 <= day % 50 <= 31 and 1 <= month <= 12):  # noqa: PLR2004 - days and months; 50 is added for duplicates
        return False
    digits = _digits(f"{plain[:8]}{ord(plain[8]) - 64:02d}{plain[9:]}")
    products = (digit * weight for digit, weight in zip(digits, _SOCIAL_SECURITY, strict=False))
    return sum(product // 10 + product % 10 for product in products) % 10 == digits[-1]


def is_hungarian_tax_id(number: str) -> bool:
    """Return whether an adóazonosító jel is valid (Act CXVI of 1996, annex): position times digit, modulo 11.

    A rest of 10 is not given out.
    """
    digits = _digits(number)
    return sum(place * digit for place, digit in enumerate(digits[:9], 1)) % 11 == digits[9]


def is_luxembourgish(number: str) -> bool:
    """Return whether a matricule is valid: birth date, serial number, a Luhn digit and a Verhoeff digit of the rest."""
    from stdnum import luhn, verhoeff  # noqa: PLC0415 - needed only when a number has this form

    plain = "".join(map(str, _digits(number)))
    try:
        date(int(plain[:4]), int(plain[4:6]), int(plain[6:8]))
    except ValueError:
        return False
    return bool(luhn.is_valid(plain[:12]) and verhoeff.is_valid(plain[:11] + plain[12]))


def is_medicare(number: str) -> bool:
    """Return whether an Australian Medicare number is valid: the ninth digit, of the eight before it."""
    digits = _digits(number)
    return sum(digit * weight for digit, weight in zip(digits, _MEDICARE, strict=False)) % 10 == digits[8]


def is_nino(number: str) -> bool:
    """Return whether the prefix of a National Insurance number is one that is used. It has no check digit."""
    return number[:2] not in _UNUSED_NINO


def is_spaced(number: str) -> bool:
    """Return whether a number is written in groups, which says more than its characters alone."""
    return any(mark in number for mark in " -./")


def never_valid(number: str) -> bool:
    """Return False: the form has no check digit, so a context word decides."""
    del number
    return False
