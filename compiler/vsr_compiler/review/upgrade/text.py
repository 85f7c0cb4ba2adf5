"""Renders the report of an upgrade for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsr_compiler.diagnostics.formats.text import clip
from vsr_compiler.review import diff_text
from vsr_schemas.reports_upgrade import Behaviour, Finding, ReleaseChange, UpgradeReport, UpgradeStep

_WIDTH = 4000
"""Characters of a line; commands must not be cut."""
BY_HAND = "Change the policy first: with the new releases it does not compile"
SOLVED = "Solved by the new releases"
WARNINGS = "New warnings of the policy"
BEFORE = "Broken if the releases change first (today's objects, new releases)"
AFTER = "Broken if the objects change first (new objects, today's releases)"
BEHAVIOUR = "Other changes of these releases, which no object of the policy shows"
STEPS = "Steps"
DIFF = "What changes in requests and objects"
POLICY = "The change of the policy"
_INSTALLED = {"definitions": "definitions", "controller": "definitions and controller", "objects": "in the objects"}


def text(report: UpgradeReport) -> str:
    """Return the report; empty if no release changes."""
    return "".join(f"{clip(line, _WIDTH)}\n" for line in _lines(report)) if report.different else ""


def summary(report: UpgradeReport) -> str:
    """Return one line about the report."""
    if not report.different:
        return "no release changes"
    errors = [sum(item.severity == "error" for item in part) for part in (report.by_hand, report.before, report.after)]
    parts = [
        _counted(len(report.releases), "release"),
        *([_counted(errors[0], "change") + " of the policy needed"] if errors[0] else []),
        *([f"{errors[1]} broken before"] if errors[1] else []),
        *([f"{errors[2]} broken after"] if errors[2] else []),
        *([_counted(len(report.steps), "step")] if report.steps else []),
    ]
    return ", ".join(parts)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'s' * (number != 1)}"


def _lines(report: UpgradeReport) -> Iterator[str]:
    where = f" in {report.environment}" if report.environment else ""
    yield f"{report.policy}{where}: {report.old} → {report.new}"
    yield from _releases(report.releases)
    yield from _findings(SOLVED, [item.model_copy(update={"remedy": ""}) for item in report.solved])
    yield from _findings(BY_HAND, report.by_hand)
    yield from _findings(BEFORE, report.before)
    yield from _findings(AFTER, report.after)
    yield from _findings(WARNINGS, report.warnings)
    yield from _steps(report.steps)
    yield from _behaviour(report.behaviour)
    if report.diff is not None:
        yield from ("", DIFF)
        lines = diff_text.text(report.diff).splitlines()[1:] or ["  nothing"]
        yield from (f"  {line}" if line else line for line in lines)
    if report.policy_diff:
        yield from ("", POLICY)
        yield from (f"  {line}" for line in report.policy_diff.splitlines())


def _releases(changes: Sequence[ReleaseChange]) -> Iterator[str]:
    yield from ("", "Releases")
    width = max(len(change.title) for change in changes)
    versions = [f"{change.old or 'new'} → {change.new}" for change in changes]
    longest = max(map(len, versions))
    for change, version in zip(changes, versions, strict=True):
        yield f"  {change.title:<{width}}  {version:<{longest}}  {_INSTALLED[change.installed_by]}"
        yield from (f"    {note}" for note in change.notes)


def _findings(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    if not findings:
        return
    yield from ("", title)
    for item in findings:
        where = f" [{', '.join(item.environments)}]" if item.environments else ""
        yield f"  {item.severity} {item.code} {item.place}{where}: {item.message}"
        if item.remedy:
            yield f"    = help: {item.remedy}"


def _behaviour(changes: Sequence[Behaviour]) -> Iterator[str]:
    if changes:
        yield from ("", BEHAVIOUR)
    for item in changes:
        doubt = "" if item.confirmed else " (not confirmed)"
        yield f"  {item.component} {item.since}: {item.text}{doubt}"


def _steps(steps: Sequence[UpgradeStep]) -> Iterator[str]:
    if steps:
        yield from ("", STEPS)
    for number, step in enumerate(steps, 1):
        yield f"  {number}. {step.title}."
        if step.reason:
            yield f"     {step.reason}"
        yield from (f"       $ {command}" for command in step.commands)
        yield from (f"     then wait: $ {command}" for command in step.waits)
