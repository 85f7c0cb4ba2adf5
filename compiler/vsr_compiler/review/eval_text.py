"""Renders an evaluation report for a terminal and as Markdown. Prompts are shown as text, never as markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from vsr_schemas.reports_eval import EvalReport

_CONFUSIONS, _MISSES = 10, 10
_MARKUP = re.compile(r"[\\`*_\[\]#!|~<>&]")
_UNPRINTABLE = re.compile(r"[^\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def text(report: EvalReport) -> str:
    """Render for a terminal."""
    lines = [f"{_head(report)}\n"]
    for title, head, rows in _tables(report):
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines.append(f"\n{title}\n")
        lines += ("  " + "  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in (head, *rows))
    return "".join(lines)


def markdown(report: EvalReport) -> str:
    """Render as Markdown."""
    what = "Categories" if report.classifier is None else f"Labels of {escaped(report.classifier)}"
    lines = [f"### {what} of {escaped(report.policy)}\n\n{escaped(_head(report))}\n"]
    for title, head, rows in _tables(report):
        lines.append(f"\n**{title}**\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}\n")
        lines += (f"| {' | '.join(map(escaped, row))} |\n" for row in rows)
    return "".join(lines)


def _head(report: EvalReport) -> str:
    how = "them" if report.classifier is None else "their topics"
    what = f"examples, by heads trained without {how}" if report.method == "held-out" else "prompts"
    return (
        f"{report.count} {what}: {_percent(report.accuracy)} as served (threshold {report.threshold:g}), "
        f"{_percent(report.top1)} of {report.top1_count} by the likeliest category, "
        f"calibration error {report.calibration:.3f}{_false_alarms(report)}"
    )


def _false_alarms(report: EvalReport) -> str:
    if report.false_alarms is None or report.classifier is None:
        return ""
    return f"; {_percent(report.false_alarms)} of {report.none_count} without a label get one"


def _tables(report: EvalReport) -> Iterator[tuple[str, Sequence[str], Sequence[Sequence[str]]]]:
    of_labels = report.classifier is not None and report.false_alarms is not None
    yield (
        "At thresholds",
        ("threshold", "answered", "of those right", "right as served", *(["false alarms"] if of_labels else [])),
        [
            (
                f"{row.threshold:g}",
                _percent(row.coverage),
                _percent(row.accuracy),
                _percent(row.served),
                *([_percent(row.false_alarms or 0)] if of_labels else []),
            )
            for row in report.thresholds
        ],
    )
    yield (
        "The surest prompts",
        ("share", "right", "down to"),
        [(_percent(row.coverage), _percent(row.accuracy), f"{row.threshold:.2f}") for row in report.coverages],
    )
    yield (
        "Categories, as served",
        ("category", "prompts", "right", "predicted", "recall", "precision"),
        [
            (
                category.name,
                str(category.count),
                str(category.right),
                str(category.found),
                _percent(category.recall),
                _percent(category.precision),
            )
            for category in report.categories
        ],
    )
    if report.confusions:
        yield (
            "Confused most often",
            ("category", "predicted", "times"),
            [
                (confusion.category, confusion.found, str(confusion.count))
                for confusion in report.confusions[:_CONFUSIONS]
            ],
        )
    if report.misses:
        yield (
            "Wrong with most confidence",
            ("line", "category", "predicted", "probability", "prompt"),
            [
                (str(miss.line or ""), miss.category, miss.found, f"{miss.probability:.2f}", plain(miss.prompt)[:80])
                for miss in report.misses[:_MISSES]
            ],
        )


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"


def plain(prompt: str) -> str:
    """Return a prompt without characters that a terminal would obey."""
    return _UNPRINTABLE.sub("\ufffd", prompt)


def escaped(value: str) -> str:
    """Return a text without Markdown markup."""
    return _MARKUP.sub(lambda match: f"\\{match[0]}", value)
