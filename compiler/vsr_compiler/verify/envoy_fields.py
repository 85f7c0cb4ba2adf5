"""Spelling of fields and durations in Envoy's API."""

from __future__ import annotations

import re

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|h|m|s))+")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|h|m|s)")
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_CAPITAL = re.compile(r"[A-Z]")


def snake_case(name: str) -> str:
    """Return a field's name as in Envoy's protobuf files; JSON may also write it in camelCase."""
    return _CAPITAL.sub(lambda match: f"_{match[0].lower()}", name).lstrip("_")


def duration_seconds(value: object) -> float | None:
    """Return a duration such as `1.5s`, `200ms` or `1h30m` in seconds; None if the value is not a duration."""
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        return None
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(value))
