# ruff: noqa: E501 - texts that repeat, one a line

from __future__ import annotations

import random
from collections.abc import Callable
from hashlib import sha256

import phonenumbers
from stdnum import iban, luhn

FIRST = "maria anna john peter li yuki fatima olga pedro ines lars mia noah emma raj".split()  # noqa: SIM905 - shorter
LAST = "lopez smith muller rossi tanaka novak silva jansen kowalski dubois patel olsen".split()  # noqa: SIM905 - as above
PLACES = ("example.com", "mail.example.org", "post.example.de", "example.co.uk")
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "BR", "JP", "AU", "CN", "PL", "SE")
ACCOUNTS = {"DE": 18, "FR": 23, "ES": 20, "NL": 14, "GB": 18, "IT": 23, "PL": 24, "PT": 21}
STREETS = (
    "{n} {N} Street, Springfield, IL {z5}",
    "{n} {N} Avenue",
    "{n} {N} Road, Leeds LS1 4DA",
    "{N}straße {n}, {z5} Berlin",
    "{n} rue {N}, {z5} Lyon",
    "Calle {N}, {n}, {z5} Madrid",
    "Viale {N} {n}, {z5} Torino",
    "{N}straat {n}, {z4} AB Utrecht",
    "{n} {N} Street, Sydney NSW {z4}",
    "Rua {N}, {n}",
    "Flat {n}, {N} Towers, MG Road, Bengaluru {z6}",
    "東京都渋谷区神南{n}-19-11",
    "北京市海淀区中关村大街{n}号",
)
FORMS = (
    "{d}/{m}/{y}", "{y}-{m:02}-{d:02}", "{d}.{m}.{y}", "{month} {d}, {y}", "{d} {month} {y}", "{d}. März {y}", "{d} mars {y}",
    "{d} de marzo de {y}", "{h} AM", "{h}:{mm:02} pm", "{h} o'clock", "{h}.{mm:02} Uhr", "{h}h{mm:02}", "{y}年{m}月{d}日", "{month} {y}",
    "half past {h}", "{m:02}/{y}",
)  # fmt: skip


def _digits(chance: random.Random, size: int) -> str:
    return "".join(chance.choice("0123456789") for _ in range(size))


def email(chance: random.Random) -> tuple[str, str]:
    """An address."""
    mark = chance.choice((".", "_", "-", "", "+"))
    value = f"{chance.choice(FIRST)}{mark}{chance.choice(LAST)}{chance.choice(('', '7', '81'))}@{chance.choice(PLACES)}"
    return f"Please write to {value} tomorrow.", value


def phone(chance: random.Random) -> tuple[str, str]:
    """A number of a country, in the international form, or national after a word."""
    while True:
        sample = phonenumbers.example_number_for_type(chance.choice(REGIONS), chance.choice((0, 1)))
        if sample is not None:
            break
    form = chance.choice((phonenumbers.PhoneNumberFormat.INTERNATIONAL, phonenumbers.PhoneNumberFormat.E164))
    value = phonenumbers.format_number(sample, form)
    if chance.random() < 0.5:
        value = phonenumbers.format_number(sample, phonenumbers.PhoneNumberFormat.NATIONAL)
        return f"You can call me, my phone is {value} at home.", value
    return f"It is {value} then.", value


def card(chance: random.Random) -> tuple[str, str]:
    """A card number."""
    start, size = chance.choice((("4", 16), ("51", 16), ("37", 15), ("6011", 16), ("35", 16)))
    body = start + _digits(chance, size - 1 - len(start))
    number = body + luhn.calc_check_digit(body)
    mark = chance.choice(("", " ", "-"))
    groups = (4, 6, 5) if size == 15 else (4, 4, 4, 4)
    value, at = "", 0
    for group in groups:
        value += (mark if value else "") + number[at : at + group]
        at += group
    return f"Charge {value} please.", value


def account(chance: random.Random) -> tuple[str, str]:
    """An IBAN."""
    country = chance.choice(list(ACCOUNTS))
    prefix = {"NL": "ABNA", "GB": "WEST", "IT": "X"}.get(country, "")
    head = prefix + _digits(chance, ACCOUNTS[country] - len(prefix))
    check = iban.calc_check_digits(f"{country}00{head}")
    value = f"{country}{check}{head}"
    if chance.random() < 0.5:
        value = " ".join(value[at : at + 4] for at in range(0, len(value), 4))
    return f"Pay to {value} today.", value


def ssn(chance: random.Random) -> tuple[str, str]:
    """A social security number."""
    value = f"{chance.randint(1, 665):03}-{chance.randint(1, 99):02}-{chance.randint(1, 9999):04}"
    return f"It says {value} there.", value


def ip(chance: random.Random) -> tuple[str, str]:
    """An address of IPv4 or IPv6."""
    value = ".".join(str(chance.randint(1, 254)) for _ in range(4))
    if chance.random() < 0.5:
        value = "2001:db8:" + ":".join(f"{chance.randint(1, 65535):x}" for _ in range(6))
    return f"The login came from {value} at night.", value


def mac(chance: random.Random) -> tuple[str, str]:
    """A hardware address."""
    value = chance.choice((":", "-")).join(f"{chance.randint(0, 255):02x}" for _ in range(6))
    return f"My phone has {value} as its address.", value


def url(chance: random.Random) -> tuple[str, str]:
    """An address of the web."""
    value = f"https://{chance.choice(PLACES)}/{chance.choice(FIRST)}/{_digits(chance, 4)}?q={chance.choice(LAST)}"
    return f"See {value} for it.", value


def domain(chance: random.Random) -> tuple[str, str]:
    """A host name."""
    value = f"{chance.choice(LAST)}.{chance.choice(PLACES)}"
    return f"The host {value} is hers.", value


def crypto(chance: random.Random) -> tuple[str, str]:
    """A wallet."""
    if chance.random() < 0.5:
        value = "0x" + "".join(chance.choice("0123456789abcdef") for _ in range(40))
        return f"Send it to {value} now.", value
    raw = bytes([0]) + chance.randbytes(20)
    number = int.from_bytes(raw + sha256(sha256(raw).digest()).digest()[:4], "big")
    text = ""
    while number:
        number, rest = divmod(number, 58)
        text = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[rest] + text
    return f"Send it to 1{text} now.", f"1{text}"


def moment(chance: random.Random) -> tuple[str, str]:
    """A date or a time."""
    value = chance.choice(FORMS).format(
        d=chance.randint(1, 28), m=chance.randint(1, 12), y=chance.randint(1940, 2026), h=chance.randint(1, 11),
        mm=chance.randint(0, 59), month=chance.choice(("January", "Feb", "March", "June", "Sept", "October", "December")),
    )  # fmt: skip
    return f"She came on {value} to us.", value


def address(chance: random.Random) -> tuple[str, str]:
    """An address of a country."""
    value = chance.choice(STREETS).format(
        n=chance.randint(1, 140), N=chance.choice(LAST).capitalize(), z4=f"{chance.randint(1000, 9999)}",
        z5=f"{chance.randint(10000, 99999)}", z6=f"{chance.randint(110001, 855999)}",
    )  # fmt: skip
    return f"Send it to {value}.", value


MAKERS: dict[str, Callable[[random.Random], tuple[str, str]]] = {
    "CREDIT_CARD": card,
    "CRYPTO": crypto,
    "DATE_TIME": moment,
    "DOMAIN_NAME": domain,
    "EMAIL_ADDRESS": email,
    "IBAN_CODE": account,
    "IP_ADDRESS": ip,
    "MAC_ADDRESS": mac,
    "PHONE_NUMBER": phone,
    "POSTAL_ADDRESS": address,
    "URL": url,
    "US_SSN": ssn,
}
"""By type."""
