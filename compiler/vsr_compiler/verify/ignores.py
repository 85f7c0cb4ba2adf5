"""Findings that a repository accepts: by comments in manifests, and by the settings."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from vsr_compiler.diagnostics import Diagnostic, Severity, Span
from vsr_compiler.verify.settings import Settings, matches

_COMMENT = re.compile(r"#\s*vsr-verify:\s*ignore\s+([A-Z0-9, ]*?[0-9])(?=\s|$)\s*(.*)")
_KEPT = frozenset({"VSR430", "VSR480", "VSR482", "VSR483", "VSR484", "VSR485", "VSR486"})
"""Findings about the check itself, which nothing silences."""


@dataclass(frozen=True, slots=True)
class Comment:
    """An ignore in a manifest.

    Attributes:
        rules: Names or codes of rules.
        reason: Why.
        span: The comment.
        line: The line to which it applies.
    """

    rules: frozenset[str]
    reason: str
    span: Span
    line: int

    def covers(self, item: Diagnostic) -> bool:
        """Whether it silences a finding."""
        return (
            item.span.file == self.span.file
            and item.span.line == self.line
            and (item.rule in self.rules or item.code in self.rules)
        )


def comments_of(text: str, name: str) -> list[Comment]:
    """Return the ignores in a file: at the end of a line, or in a line of their own above it."""
    found, lines = [], text.split("\n")
    for number, line in enumerate(lines, 1):
        match = _COMMENT.search(line) if "vsr-verify:" in line else None
        if not match:
            continue
        target = number
        if line.lstrip().startswith("#"):
            target += 1
            while target <= len(lines) and (not lines[target - 1].strip() or lines[target - 1].lstrip()[:1] == "#"):
                target += 1
        span = Span(name, number, match.start() + 1, number, len(line.rstrip()) + 1)
        rules = frozenset(part for part in re.split(r"[, ]+", match[1]) if part)
        found.append(Comment(rules, match[2].strip(), span, target))
    return found


def applied(
    findings: Iterable[Diagnostic], comments: Iterable[Comment], settings: Settings, today: dt.date
) -> list[Diagnostic]:
    """Return the findings that are not ignored, with the severity of the settings, and the ignores without effect."""
    used: set[object] = set()
    by_place: dict[tuple[str, int], list[Comment]] = {}
    comments = list(comments)
    for comment in comments:
        by_place.setdefault((comment.span.file, comment.line), []).append(comment)
    rules = [(number, item, item.last_day) for number, item in enumerate(settings.values.ignore)]
    kept: list[Diagnostic] = []
    for item in findings:
        if item.code in _KEPT:
            kept.append(item)
            continue
        here = [each for each in by_place.get((item.span.file, item.span.line), ()) if each.covers(item)]
        used.update(here)
        by_rule = [
            number
            for number, ignore, last in rules
            if ignore.rule in {item.rule, item.code} and (last is None or today <= last)
            if matches(Path(item.span.file), ignore.path, settings.folder)
        ]
        used.update(by_rule)
        if not here and not by_rule:
            kept += _with_severity(item, settings)
    kept += [
        Diagnostic(
            "VSR484", f"this ignore of {', '.join(sorted(each.rules))} matches no finding", each.span, "Remove it."
        )
        for each in comments
        if each not in used
    ]
    kept += [
        Diagnostic("VSR484", "this ignore has no reason", each.span, "Write the reason behind the name of the rule.")
        for each in comments
        if each in used and not each.reason
    ]
    for number, ignore, last in rules:
        if number not in used:
            why = f"expired on {last}" if last is not None and today > last else "matches no finding"
            span = settings.span("ignore", number)
            kept.append(Diagnostic("VSR484", f"the ignore of {ignore.rule} {why}", span, "Remove it, or renew it."))
    return kept


def _with_severity(item: Diagnostic, settings: Settings) -> list[Diagnostic]:
    severities = settings.values.severity
    wanted = severities.get(item.rule, severities.get(item.code))
    if wanted is False or wanted == "off":
        return []
    if wanted is None or item.level is Severity.NOTE:
        return [item]
    return [replace(item, severity=Severity[wanted.upper()])]
