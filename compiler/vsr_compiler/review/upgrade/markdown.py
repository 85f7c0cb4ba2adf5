"""Renders the report of an upgrade as Markdown, for an issue or a pull request, limited in size."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vsr_compiler.diagnostics.formats.text import clip
from vsr_compiler.review import diff_text
from vsr_compiler.review.upgrade.text import (
    AFTER,
    BEFORE,
    BEHAVIOUR,
    BY_HAND,
    DIFF,
    POLICY,
    SOLVED,
    STEPS,
    WARNINGS,
    summary,
)
from vsr_schemas.reports_upgrade import Finding, UpgradeReport

LIMIT = 60_000
"""Maximum bytes. GitHub accepts 65,536 characters per comment."""
_CUT = 400
_WIDTH = 1000
_MARKUP = re.compile(r"[\\*_\[\]#!|~<>&]")


def markdown(report: UpgradeReport) -> str:
    """Return the report, below ``LIMIT`` bytes."""
    where = f" in {_text(report.environment)}" if report.environment else ""
    parts = [f"### Upgrade of {_text(report.policy)}{where}: {_text(report.old)} → {_text(report.new)}\n\n"]
    parts.append(f"{_text(summary(report))}.\n")
    size = sum(len(part.encode()) for part in parts)
    for block in _blocks(report) if report.different else ():
        size += len(block.encode())
        if size > LIMIT - _CUT:
            parts.append("\n**Cut here.** `vsr-compile upgrade` shows all of it.\n")
            break
        parts.append(block)
    return "".join(parts)


def _blocks(report: UpgradeReport) -> Iterator[str]:
    rows = (
        f"| {_text(item.title)} | {_text(item.old or 'new')} | {_text(item.new)} | {_text(' '.join(item.notes))} |\n"
        for item in report.releases
    )
    yield "".join(("\n| project | today | new | |\n|---|---|---|---|\n", *rows))
    for title, findings in (
        (SOLVED, [item.model_copy(update={"remedy": ""}) for item in report.solved]),
        (BY_HAND, report.by_hand),
        (BEFORE, report.before),
        (AFTER, report.after),
        (WARNINGS, report.warnings),
    ):
        yield from _findings(title, findings)
    if report.steps:
        yield f"\n**{STEPS}**\n\n"
    for number, step in enumerate(report.steps, 1):
        reason = f" {_text(step.reason)}" if step.reason else ""
        commands = [*step.commands, *step.waits]
        yield f"{number}. {_text(step.title)}.{reason}\n{_block('sh', commands, '   ') if commands else ''}"
    if report.behaviour:
        yield f"\n**{BEHAVIOUR}**\n\n"
    for change in report.behaviour:
        yield f"- {_text(change.component)} {_text(change.since)}: {_text(change.text)}\n"
    if report.diff is not None:
        lines = diff_text.text(report.diff).splitlines()[1:]
        yield f"\n<details><summary>{DIFF}</summary>\n\n{_block('text', lines or ['nothing'])}\n</details>\n"
    if report.policy_diff:
        yield f"\n**{POLICY}**\n\n{_block('diff', report.policy_diff.splitlines())}"


def _findings(title: str, findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        yield f"\n**{title}**\n\n"
    for item in findings:
        where = f" ({_text(', '.join(item.environments))})" if item.environments else ""
        remedy = f" {_text(item.remedy)}" if item.remedy else ""
        yield f"- {item.severity} {item.code}, {_text(item.place)}{where}: {_text(item.message)}.{remedy}\n"


def _block(language: str, lines: Sequence[str], indent: str = "") -> str:
    content = "\n".join(f"{indent}{clip(line, _WIDTH)}" for line in lines)
    runs = re.findall(r"`+", content)
    fence = "`" * max(3, 1 + max(map(len, runs), default=0))
    return f"{indent}{fence}{language}\n{content}\n{indent}{fence}\n"


def _text(words: str) -> str:
    """Escape text for Markdown and HTML, without mentions; code in backquotes stays."""
    calm = clip(words, _WIDTH).replace("@", "@\N{ZERO WIDTH SPACE}")
    return _MARKUP.sub(lambda found: f"&#{ord(found[0])};", calm)
