"""Findings as GitHub Actions workflow commands, which become annotations on the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vsr_compiler.diagnostics.model import Diagnostic, Severity

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render(policies: Sequence[str], found: Iterable[Diagnostic], sources: Mapping[str, str]) -> str:
    """Return one command per finding, sorted by position; an empty text if there is none."""
    del policies, sources
    return "".join(_one(item) for item in sorted(found, key=lambda item: item.order))


def _one(item: Diagnostic) -> str:
    span = item.span
    numbers = {"line": span.line, "col": span.column, "endLine": span.end_line, "endColumn": span.end_column}
    if span.end_line != span.line:
        # GitHub shows columns only within one line.
        del numbers["endColumn"]
    properties = {"file": span.file, **{key: str(number) for key, number in numbers.items() if number}}
    properties["title"] = item.label
    shown = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    message = f"{item.message}\n{item.hint}" if item.hint else item.message
    return f"::{LEVELS[item.level]} {shown}::{_data(message)}\n"


def _data(text: str) -> str:
    """Escape as actions/toolkit does for the message."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Escape as actions/toolkit does for a property: there a colon or a comma would end it."""
    return _data(text).replace(":", "%3A").replace(",", "%2C")
