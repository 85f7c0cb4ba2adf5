"""Findings as a JSON report: the contract is ``vsr_schemas.reports``, and ``vsr-compile schema --report`` prints it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vsr_compiler.diagnostics.codes import CODES
from vsr_compiler.diagnostics.model import Diagnostic, Severity
from vsr_schemas.reports import Finding, Place, Report, Summary, Tool
from vsr_schemas.version import VERSION


def render(policies: Sequence[str], found: Iterable[Diagnostic], sources: Mapping[str, str]) -> str:
    """Return the report, sorted by position.

    Args:
        policies: The files that were checked.
        found: The findings.
        sources: Not needed here.
    """
    del sources
    items = sorted(found, key=lambda item: item.order)
    report = Report(
        tool=Tool(version=VERSION),
        policies=list(policies),
        summary=Summary(**{f"{level.word}s": sum(item.level is level for item in items) for level in Severity}),
        findings=[_finding(item) for item in items],
    )
    return report.model_dump_json(by_alias=True, exclude_none=True, indent=2) + "\n"


def _finding(item: Diagnostic) -> Finding:
    span = item.span
    inside = (span.line, span.column, span.end_line, span.end_column)
    line, column, end_line, end_column = (number or None for number in inside)
    return Finding(
        code=item.code,
        rule=item.rule or None,
        severity=item.level.word,
        title=CODES[item.code].title,
        message=item.message,
        help=item.hint or None,
        place=Place(file=span.file, line=line, column=column, end_line=end_line, end_column=end_column),
    )
