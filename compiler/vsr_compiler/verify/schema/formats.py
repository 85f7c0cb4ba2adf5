"""The string formats that an API server checks. It accepts any string for other formats."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,12})?([Zz]|[-+]\d{2}:\d{2})")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(\.[0-9A-Fa-f]{4}){2}")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})?")
_EMAIL = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,255}")
_DURATION = re.compile(r"[-+]?(?:\d{1,18}(?:\.\d{0,18})?(?:ns|us|µs|ms|s|m|h|d|w))+|0")
MAX_TEXT = 65_536
MAX_HOST = 255


def valid(name: str, text: str) -> bool:
    """Whether a string has a format. Every string has an unknown format."""
    check = _FORMATS.get(name)
    return check is None or check(text)


def _parses(check: Callable[[str], object]) -> Callable[[str], bool]:
    """Return a check that is true if the parser accepts the string."""

    def passes(text: str) -> bool:
        try:
            check(text)
        except ValueError:
            return False
        return True

    return passes


def _byte(text: str) -> None:
    try:
        base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except binascii.Error:
        raise ValueError(text[:20]) from None


def _uri(text: str) -> None:
    if len(text) > MAX_TEXT or not text or any(character <= " " for character in text):
        raise ValueError(text[:20])
    scheme = urlsplit(text).scheme
    if not scheme and not text.startswith("/"):
        raise ValueError(text[:20])


def _time(text: str) -> None:
    if _TIME.fullmatch(text) is None:
        raise ValueError(text[:20])
    dt.datetime.fromisoformat(text[:19])


def _host(text: str) -> bool:
    return 0 < len(text) <= MAX_HOST and all(_HOST.fullmatch(part) for part in text.removesuffix(".").split("."))


_FORMATS: dict[str, Callable[[str], bool]] = {
    "byte": _parses(_byte),
    "cidr": _parses(lambda text: ipaddress.ip_interface(text if "/" in text else "no")),
    "date": _parses(dt.date.fromisoformat),
    "date-time": _parses(_time),
    "datetime": _parses(_time),
    "duration": lambda text: len(text) <= MAX_HOST and _DURATION.fullmatch(text) is not None,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "hostname": _host,
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "mac": lambda text: _MAC.fullmatch(text) is not None,
    "uri": _parses(_uri),
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
}
