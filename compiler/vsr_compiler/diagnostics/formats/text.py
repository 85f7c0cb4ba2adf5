"""Findings as text: position, message, source line with carets, hint."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vsr_compiler.diagnostics.model import Diagnostic, Severity, Span

MAX_MESSAGE = 300
MAX_LINE = 160
COLOURS = {Severity.ERROR: "31", Severity.WARNING: "33", Severity.NOTE: "36"}


def render(found: Iterable[Diagnostic], sources: Mapping[str, str], *, colour: bool = False) -> str:
    """Return all findings, sorted by position.

    Args:
        found: The findings.
        sources: Text by file name, for the excerpts. Findings in other files have none.
        colour: Whether to use terminal colours.
    """
    items = sorted(found, key=lambda d: d.order)
    lines = {name: source.split("\n") for name, source in sources.items()}
    for item in items:
        if item.hides and item.span.file in lines:
            _hide(lines[item.span.file], item.span)
    return "".join(_one(item, lines.get(item.span.file), colour=colour) for item in items)


def place(item: Diagnostic) -> str:
    """Return ``file:line:column``, or the file alone."""
    span = item.span
    return f"{span.file}:{span.line}:{span.column}" if span.line else span.file


def _hide(lines: list[str], span: Span) -> None:
    """Replace a secret by asterisks."""
    for number in range(span.line, min(span.end_line, len(lines)) + 1):
        line = lines[number - 1]
        start = span.column - 1 if number == span.line else 0
        end = span.end_column - 1 if number == span.end_line else len(line)
        lines[number - 1] = line[:start] + "*" * len(line[start:end]) + line[end:]


def _one(item: Diagnostic, lines: list[str] | None, *, colour: bool) -> str:
    head = _paint(f"{item.level.word} {item.label}", COLOURS[item.level], colour=colour)
    parts = [f"{place(item)}: {head}: {clip(item.message, MAX_MESSAGE)}\n"]
    if lines is not None and 0 < item.span.line <= len(lines):
        parts.append(_excerpt(item, lines[item.span.line - 1], colour=colour))
    if item.hint:
        parts.append(f"  = help: {clip(item.hint, MAX_MESSAGE)}\n")
    return "".join(parts)


def _excerpt(item: Diagnostic, line: str, *, colour: bool) -> str:
    """Return the source line with carets, both cut to a window around the position."""
    span = item.span
    start = max(0, span.column - 1 - MAX_LINE // 2) if len(line) > MAX_LINE else 0
    shown = "".join(c if c.isprintable() else " " for c in line[start : start + MAX_LINE].replace("\t", " "))
    column = max(span.column - 1 - start, 0)
    end = span.end_column - 1 - start if span.end_line == span.line else len(shown)
    width = max(1, min(end, len(shown)) - column)
    number = str(span.line)
    bar = " " * len(number)
    carets = _paint("^" * width, COLOURS[item.level], colour=colour)
    return f" {bar} |\n {number} | {shown.rstrip()}\n {bar} | {' ' * column}{carets}\n"


def clip(message: str, limit: int) -> str:
    """Return a message on one line and of limited length, whatever a file contains."""
    flat = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in message)
    return flat if len(flat) <= limit else flat[: limit - 3] + "..."


def _paint(words: str, code: str, *, colour: bool) -> str:
    return f"\x1b[{code}m{words}\x1b[0m" if colour else words
