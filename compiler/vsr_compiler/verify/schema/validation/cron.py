"""Schedules of CronJobs. Source: robfig/cron 3, `ParseStandard`."""

from __future__ import annotations

import re

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of month", 1, 31, {}),
    ("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    ("day of week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)
_WORDS = frozenset({"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"})
_EVERY = re.compile(r"@every [-+]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+")
_RANGE = re.compile(r"([0-9A-Za-z]+|[*?])(?:-([0-9A-Za-z]+))?(?:/([0-9]+))?")
MAX_TEXT = 1000


def fault(schedule: str) -> str:
    """Return what is wrong with a schedule; empty if it is valid."""
    if not 0 < len(schedule) <= MAX_TEXT:
        return "is too long" if schedule else "is empty"
    if "TZ" in schedule:
        return "has a time zone, which belongs into `timeZone`"
    if schedule.startswith("@"):
        valid = schedule in _WORDS or _EVERY.fullmatch(schedule)
        return "" if valid else "is not a known word"
    parts = schedule.split()
    if len(parts) != len(_FIELDS):
        return f"has {len(parts)} fields instead of {len(_FIELDS)}"
    reasons = (_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True))
    return next((reason for reason in reasons if reason), "")


def _field(part: str, name: str, low: int, high: int, words: dict[str, int]) -> str:
    # Empty parts between commas are skipped.
    reason = next((found for item in part.split(",") if item and (found := _item(item, low, high, words))), "")
    return f"{name}: {reason}" if reason else ""


def _item(item: str, low: int, high: int, words: dict[str, int]) -> str:
    match = _RANGE.fullmatch(item)
    if match is None or (match[1] in "*?" and match[2]):
        return f"`{item[:40]}` is not a number or range"
    if match[3] is not None and int(match[3]) == 0:
        return "a step of 0"
    if match[1] in "*?":
        return ""
    start, end = _number(match[1], words), _number(match[2] or match[1], words)
    if start is None or end is None:
        return f"`{item[:40]}` is not a number or range"
    if start < low or end > high:
        return f"{item[:40]} is not within {low} to {high}"
    return f"{item[:40]} ends before it begins" if start > end else ""


def _number(text: str, words: dict[str, int]) -> int | None:
    return words.get(text.lower(), int(text) if text.isdecimal() and text.isascii() else None)
