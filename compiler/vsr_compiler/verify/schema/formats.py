"""The string formats that an API server checks. It accepts any string for other formats."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import ipaddress
import re
from collections.abc import Callable

from vsr_compiler.verify.schema.go_urls import is_url

_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:.[0-9]+)?(?:z|[+-][0-9]{2}:[0-9]{2})")
_BYTE = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})")
_MAC = re.compile(r"[0-9A-Fa-f]{2}([:-][0-9A-Fa-f]{2}){5}|[0-9A-Fa-f]{4}(\.[0-9A-Fa-f]{4}){2}")
_HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})?")
_EMAIL = re.compile(r"[^\s@<>]{1,64}@[^\s@<>]{1,255}")
_DURATION = re.compile(r"[-+]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+|[-+]?0")
_WORDS = re.compile(r"[0-9]+\s*([A-Za-zµ]+)")
_UNITS = frozenset({"ns", "us", "µs", "ms", "s", "m", "h", "hr", "d", "w", "wk"})
_UNIT_STARTS = ("nano", "micro", "milli", "sec", "min", "hour", "day", "week")
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


def _base64(text: str) -> None:
    try:
        base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except binascii.Error:
        raise ValueError(text[:20]) from None


def _date_time(text: str) -> bool:
    day, *rest = text.lower().split("t")
    match = _TIME.fullmatch(rest[0]) if rest else None
    return _date(day) and match is not None and (match[1] <= "23" and match[2] <= "59" and match[3] <= "59")


def _date(text: str) -> bool:
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    try:
        # Go has a year 0, and its calendar repeats after 400 years.
        dt.date((int(match[1]) or 400), int(match[2]), int(match[3]))
    except ValueError:
        return False
    return True


def _is_duration(text: str) -> bool:
    if len(text) > MAX_HOST:
        return False
    if _DURATION.fullmatch(text):
        return True
    # Kubernetes also accepts a text that contains a number with the name of a unit.
    return any(unit.lower() in _UNITS or unit.lower().startswith(_UNIT_STARTS) for unit in _WORDS.findall(text))


def _host(text: str) -> bool:
    return 0 < len(text) <= MAX_HOST and all(_HOST.fullmatch(part) for part in text.removesuffix(".").split("."))


_FORMATS: dict[str, Callable[[str], bool]] = {
    "base64": _parses(_base64),
    "byte": lambda text: _BYTE.fullmatch(text) is not None,
    "cidr": _parses(lambda text: ipaddress.ip_interface(text if "/" in text else "no")),
    "date": _date,
    "date-time": _date_time,
    "datetime": _date_time,
    "duration": _is_duration,
    "email": lambda text: _EMAIL.fullmatch(text) is not None,
    "hostname": _host,
    "ipv4": _parses(ipaddress.IPv4Address),
    "ipv6": _parses(ipaddress.IPv6Address),
    "mac": lambda text: _MAC.fullmatch(text) is not None,
    "uri": is_url,
    "uuid": lambda text: _UUID.fullmatch(text) is not None,
}
