"""Renders the diff for a terminal: a summary, changes for traffic and what runs, then each file with its fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from vsr_compiler.diagnostics.formats.text import clip
from vsr_compiler.review.change_text import format_value
from vsr_compiler.review.compare import is_derived
from vsr_schemas.reports_diff import DiffReport, FieldChange, FileChange

MARKS = {"added": "+", "removed": "-", "changed": "~"}
WIDTH = 200
STEP, STEP_WIDTH = "      ", 4000
MOST_FIELDS = 25


def text(report: DiffReport) -> str:
    """Return the report; empty if nothing changes."""
    if not report.different:
        return ""
    # Steps contain commands, which must not be cut.
    return "".join(f"{clip(line, STEP_WIDTH if line.startswith(STEP) else WIDTH)}\n" for line in _lines(report))


def summary(report: DiffReport) -> str:
    """Return the numbers of changes and of breaking changes."""
    broken = sum(bool(change.breaking) for change in report.traffic)
    broken += sum(bool(change.breaking) for change in report.rollout)
    counts = Counter(change.change for change in report.files)
    files = ", ".join(f"{counts[word]} {word}" for word in ("added", "changed", "removed") if counts[word])
    parts = [
        f"{len(report.traffic)} change{'s' * (len(report.traffic) != 1)} for traffic",
        *([f"{len(report.rollout)} for the rollout"] if report.rollout else []),
        *([f"{broken} breaking"] if broken else []),
        f"files: {files or 'none'}",
    ]
    return ", ".join(parts)


def field_lines(change: FileChange, most: int = MOST_FIELDS) -> Iterator[str]:
    """Yield a line per field, up to a maximum."""
    for field in change.fields[:most]:
        yield f"{MARKS[field.change]} {_field(field)}"
    if len(change.fields) > most:
        yield f"  and {len(change.fields) - most} more"


def _unread(file: str) -> str:
    """What differs in a file whose fields are the same, or are not compared."""
    if is_derived(file):
        return ", which follows from the rest"
    return ", in comments or spelling only" if file.endswith(".yaml") else ""


def title(change: FileChange) -> str:
    """Return the object and its file, with the reason if a changed file has no changed fields."""
    name = f"{change.identity} ({change.file})" if change.identity else change.file
    return name if change.fields or change.change != "changed" else f"{name}{_unread(change.file)}"


def _lines(report: DiffReport) -> Iterator[str]:
    yield f"{report.policy} against {report.against}: {summary(report)}"
    for change in report.traffic:
        yield f"  ! {change.text} [{change.breaking}]" if change.breaking else f"    {change.text}"
    for effect in report.rollout:
        yield f"  ! {effect.text} [{effect.breaking}]" if effect.breaking else f"  * {effect.text}"
        yield from (f"{STEP}{number}. {step}" for number, step in enumerate(effect.steps, 1))
    for change_of_file in report.files:
        yield f"{MARKS[change_of_file.change]} {title(change_of_file)}"
        yield from (f"    {line}" for line in field_lines(change_of_file))


def _field(change: FieldChange) -> str:
    if change.change == "added":
        return f"{change.path}: {format_value(change.new)}"
    if change.change == "removed":
        return f"{change.path}: {format_value(change.old)}"
    return f"{change.path}: {format_value(change.old)} → {format_value(change.new)}"
