"""Which findings are shown: of each rule some, the worst first, and how many are left."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

from vsr_compiler.diagnostics import Diagnostic, Severity

IN_TEXT = 50
IN_REPORTS = 1_000


_TITLE = re.compile(r"(\b[A-Z][A-Za-z]+ )`[^`/]*/([^`/]*)`")


def once_per_place(findings: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Return findings without those that say the same of one place for another namespace, as overlays of a base do."""
    first: dict[tuple[object, ...], Diagnostic] = {}
    for item in findings:
        first.setdefault((item.code, item.span, item.level, _TITLE.sub(r"\1`\2`", item.message)), item)
    return list(first.values())


def capped(findings: Iterable[Diagnostic], limit: int) -> list[Diagnostic]:
    """Return at most ``limit`` findings of each rule, errors first, and a note about the rest of a rule."""
    by_rule: dict[str, list[Diagnostic]] = defaultdict(list)
    for item in findings:
        by_rule[item.rule or item.code].append(item)
    shown: list[Diagnostic] = []
    for name, items in by_rule.items():
        worst_first = sorted(items, key=lambda item: (-item.level, item.order)) if len(items) > limit else items
        shown += worst_first[:limit]
        if hidden := worst_first[limit:]:
            message = f"{len(hidden):,} further findings of {name} are not shown"
            hint = "Correct the others first, or pass --all-findings."
            shown.append(Diagnostic("VSR486", message, hidden[0].span, hint, Severity.NOTE))
    return shown
