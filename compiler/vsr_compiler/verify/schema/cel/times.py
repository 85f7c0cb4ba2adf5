"""Timestamps and durations of CEL: parsing as in Go, time zones, and the functions of Kubernetes' library.

Source: Go's `time.Parse`, `time.ParseDuration` and `time.LoadLocation`, as cel-go 0.26 calls them.
"""

from __future__ import annotations

import datetime as dt
import re
import zoneinfo
from collections.abc import Callable
from typing import Any

from vsr_compiler.verify.schema.cel import values
from vsr_compiler.verify.schema.cel.values import (
    Budget,
    CelError,
    Duration,
    Timestamp,
    UnsupportedError,
    bounded,
    type_name,
)

SECOND = 10**9
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
MAX_TEXT = 256
"""Limit of strings that are parsed; any real one is shorter."""
_UNITS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": SECOND, "m": MINUTE, "h": HOUR}
_DURATION = re.compile(r"([-+]?)((?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+")
_PART = re.compile(r"([0-9]*)(?:\.([0-9]*))?(ns|us|µs|μs|ms|s|m|h)")
_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:[.,]([0-9]+))?"
    r"(?:Z|([-+])([0-9]{2}):([0-9]{2}))"
)
_OFFSET = re.compile(r"([-+]?[0-9]{1,9}):([-+]?[0-9]{1,9})")
_ERA_DAYS = 146_097
"""Days of 400 years, the period of the calendar."""
_EPOCH = dt.date(1970, 1, 1).toordinal()


def parse_duration(text: str) -> Duration | None:
    """Return a duration in Go's notation, such as `1h30m` or `1.5s`; None if it is invalid."""
    if text in {"0", "+0", "-0"}:
        return Duration(0)
    match = _DURATION.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        return None
    nanos = 0
    for whole, part, unit in _PART.findall(text):
        # Go computes the fraction as a double.
        digits = part[:18]
        nanos += int(whole or 0) * _UNITS[unit] + int(float(int(digits or 0)) * (_UNITS[unit] / 10 ** len(digits)))
    nanos = -nanos if match[1] == "-" else nanos
    return Duration(nanos) if -(1 << 63) <= nanos < 1 << 63 else None


def parse_timestamp(text: str) -> Timestamp | None:
    """Return a timestamp in the notation of RFC 3339, as Go reads it; None if it is invalid."""
    match = _TIMESTAMP.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    zone_hour, zone_minute = int(match[9] or 0), int(match[10] or 0)
    if hour > 23 or minute > 59 or second > 59 or zone_hour > 24 or zone_minute > 60:  # noqa: PLR2004 - as Go
        return None
    try:
        # Years before 1 may occur in a time zone ahead of UTC; Python's calendar begins with 1.
        days = dt.date(year + 400, month, day).toordinal() - _ERA_DAYS - _EPOCH if year < 400 else None  # noqa: PLR2004
        days = dt.date(year, month, day).toordinal() - _EPOCH if days is None else days
    except ValueError:
        return None
    offset = (zone_hour * 60 + zone_minute) * (-1 if match[8] == "-" else 1)
    fraction = int((match[7] or "0")[:9].ljust(9, "0"))
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset * 60
    found = Timestamp(seconds * SECOND + fraction, offset)
    return found if found.in_range else None


def to_duration(value: Any) -> Duration:  # noqa: ANN401 - any value
    """Implement `duration(x)`."""
    if isinstance(value, Duration):
        return value
    found = parse_duration(value) if isinstance(value, str) else None
    if found is None:
        raise CelError(f"`{str(value)[:30]}` is not a duration")
    return found


def to_timestamp(value: Any) -> Timestamp:  # noqa: ANN401 - any value
    """Implement `timestamp(x)`; a number is in seconds since 1970."""
    if isinstance(value, Timestamp):
        return value
    found = None
    if type(value) is int:
        found = Timestamp(value * SECOND)
    elif isinstance(value, str):
        found = parse_timestamp(value)
    if found is None or not found.in_range:
        raise CelError(f"`{str(value)[:30]}` is not a timestamp")
    return found


def duration_text(value: Duration) -> str:
    """Implement `string(x)` of a duration: its seconds, as a decimal number without exponent."""
    sign, nanos = ("-" if value.nanos < 0 else ""), abs(value.nanos)
    # As a double, like Go: more than 15 digits are rounded.
    seconds = float(nanos // SECOND) + float(nanos % SECOND) / SECOND
    whole = format(seconds, ".17f") if seconds < 1e-4 else repr(seconds)  # noqa: PLR2004 - repr has an exponent below
    if "e" in whole:
        whole = format(seconds, "f")
    elif seconds < 1e-4:  # noqa: PLR2004 - as above
        whole = f"{nanos / SECOND:.9f}"
    return f"{sign}{whole.rstrip('0').rstrip('.') if '.' in whole else whole}s"


def timestamp_text(value: Timestamp) -> str:
    """Implement `string(x)` of a timestamp."""
    moment, offset = _local(value, value.offset), value.offset
    fraction = f".{value.nanos % SECOND:09d}".rstrip("0") if value.nanos % SECOND else ""
    zone = "Z" if offset == 0 else f"{'-' if offset < 0 else '+'}{abs(offset) // 60:02d}:{abs(offset) % 60:02d}"
    return f"{moment.isoformat()}{fraction}{zone}"


def _local(value: Timestamp, minutes: int) -> dt.datetime:
    """Return the clock of a time zone, to the second, without a zone."""
    try:
        return dt.datetime(1970, 1, 1) + dt.timedelta(seconds=value.nanos // SECOND, minutes=minutes)  # noqa: DTZ001
    except OverflowError:
        raise UnsupportedError("the time is out of range") from None


def _in_zone(value: Timestamp, zone: str = "") -> dt.datetime:
    """Return the clock in a time zone: a name such as `Europe/Paris`, or an offset such as `+02:00`."""
    if not isinstance(zone, str):
        raise CelError(f"{type_name(zone)} is not a time zone")
    if zone in {"", "UTC"}:
        return _local(value, 0)
    if ":" in zone:
        match = _OFFSET.fullmatch(zone)
        if match is None:
            raise CelError(f"`{zone[:30]}` is not a time zone")
        hours, minutes = int(match[1]), int(match[2])
        return _local(value, hours * 60 - minutes if zone[0] == "-" else hours * 60 + minutes)
    try:
        rules = zoneinfo.ZoneInfo(zone[:MAX_TEXT])
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        if not zoneinfo.available_timezones():
            raise UnsupportedError("no time zone database is installed") from None
        raise CelError(f"unknown time zone {zone[:30]}") from None
    moment = _local(value, 0).replace(tzinfo=dt.UTC)
    try:
        return moment.astimezone(rules).replace(tzinfo=None)
    except OverflowError:
        raise UnsupportedError("the time is out of range") from None


def _unit(nanos: int) -> Callable[[Duration], int]:
    return lambda value: value.nanos // nanos if value.nanos >= 0 else -(-value.nanos // nanos)


def _part(of_time: Callable[[dt.datetime], int], of_duration: Callable[[Duration], int] | None = None) -> Any:  # noqa: ANN401 - a function of a library
    def part(value: Any, *zone: str) -> int:  # noqa: ANN401 - any value
        if isinstance(value, Timestamp) and len(zone) <= 1:
            return of_time(_in_zone(value, *zone))
        if isinstance(value, Duration) and of_duration is not None and not zone:
            return of_duration(value)
        raise TypeError

    return part


def _milliseconds(value: Any, *zone: str) -> int:  # noqa: ANN401 - any value
    if isinstance(value, Timestamp) and len(zone) <= 1:
        _in_zone(value, *zone)
        return value.nanos % SECOND // 10**6
    if isinstance(value, Duration) and not zone:
        return _unit(10**6)(value)
    raise TypeError


def arithmetic(mark: str, first: Any, second: Any, budget: Budget) -> Any:  # noqa: ANN401 - any value
    """Return the result of `+ - * / %`, also of times.

    Raises:
        CelError: The operator does not support the types, or the result is out of range.
    """
    if mark in "+-" and isinstance(first, Duration | Timestamp) and isinstance(second, Duration | Timestamp):
        found = _sum_of_times(mark, first, second)
        if found is not None:
            return found
    return values.arithmetic(mark, first, second, budget)


def _sum_of_times(mark: str, first: Duration | Timestamp, second: Duration | Timestamp) -> Duration | Timestamp | None:
    sign = 1 if mark == "+" else -1
    if isinstance(first, Duration) and isinstance(second, Duration):
        return Duration(bounded(first.nanos + sign * second.nanos))
    if isinstance(first, Duration) and mark == "+":
        first, second = second, first
    if isinstance(first, Timestamp) and isinstance(second, Duration):
        found = Timestamp(first.nanos + sign * second.nanos, first.offset)
        if not found.in_range:
            raise CelError("timestamp overflow")
        return found
    if isinstance(first, Timestamp) and isinstance(second, Timestamp) and mark == "-":
        return Duration(bounded(first.nanos - second.nanos))
    return None


METHODS: dict[str, Callable[..., Any]] = {
    "getHours": _part(lambda clock: clock.hour, _unit(HOUR)),
    "getMinutes": _part(lambda clock: clock.minute, _unit(MINUTE)),
    "getSeconds": _part(lambda clock: clock.second, _unit(SECOND)),
    "getMilliseconds": _milliseconds,
    "getFullYear": _part(lambda clock: clock.year),
    "getMonth": _part(lambda clock: clock.month - 1),
    "getDate": _part(lambda clock: clock.day),
    "getDayOfMonth": _part(lambda clock: clock.day - 1),
    "getDayOfWeek": _part(lambda clock: clock.isoweekday() % 7),
    "getDayOfYear": _part(lambda clock: clock.timetuple().tm_yday - 1),
}
