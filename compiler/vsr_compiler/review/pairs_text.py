"""Renders a report about pairs for a terminal and as Markdown."""

from __future__ import annotations

from collections.abc import Sequence

from vsr_compiler.review.eval_text import escaped, plain
from vsr_schemas.reports_pairs import PairsReport


def text(report: PairsReport) -> str:
    """Render for a terminal."""
    lines = [f"{line}\n" for line in _head(report)]
    for title, head, rows in _tables(report):
        widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
        lines.append(f"\n{title}\n")
        lines += ("  " + "  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in (head, *rows))
    return "".join(lines)


def markdown(report: PairsReport) -> str:
    """Render as Markdown."""
    lines = ["### Similarity\n\n", *(f"{escaped(line)}\n" for line in _head(report))]
    for title, head, rows in _tables(report):
        lines.append(f"\n**{title}**\n\n| {' | '.join(head)} |\n|{'---|' * len(head)}\n")
        lines += (f"| {' | '.join(map(escaped, row))} |\n" for row in rows)
    return "".join(lines)


def _head(report: PairsReport) -> list[str]:
    who = f"{report.encoder} ({report.precision}, sha256 {report.sha256[:12]}…)"
    head = [f"{who}: {report.same} pairs that belong together, {report.different} that do not"]
    if report.told_apart:
        head.append(f"{report.told_apart} pairs differ in words that the cache compares, so no threshold joins them")
    if report.threshold is None:
        return [*head, "no threshold separates the pairs"]
    field = "threshold" if report.purpose == "signal" else "similarity"
    head.append(
        f"{field}: {report.threshold:.2f} reaches {_percent(report.recall)} of the pairs that belong together and "
        f"{_percent(report.false)} of the others (below {_percent(report.bound)} with 95 % confidence)"
    )
    if report.default is not None:
        head.append(f"measured on the shipped pairs: {report.default:.2f}")
    where = (
        f"signals: {{NAME: {{embedding: {{to: […], threshold: {report.threshold:.2f}}}}}}}"
        if report.purpose == "signal"
        else f"routes: [{{…, cache: {{similarity: {report.threshold:.2f}}}}}]"
    )
    return [*head, f"in the policy: {where}"]


def _tables(report: PairsReport) -> list[tuple[str, Sequence[str], Sequence[Sequence[str]]]]:
    curve = [
        (f"{row.threshold:.2f}", _percent(row.recall), _percent(row.false)) for row in report.curve if row.recall > 0
    ]
    tables: list[tuple[str, Sequence[str], Sequence[Sequence[str]]]] = [
        ("At thresholds", ("similarity", "belong together", "others"), curve)
    ]
    if report.wrong:
        rows = [
            (
                str(pair.line),
                "yes" if pair.same else "no",
                "words" if pair.similarity == -1 else f"{pair.similarity:.2f}",
                plain(pair.a)[:60],
                plain(pair.b)[:60],
            )
            for pair in report.wrong
        ]
        tables.append(("On the wrong side", ("line", "same", "similarity", "a", "b"), rows))
    return tables


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
