"""The parts of the page that compare: the change of the output, its effect on traffic, and the classifier."""

from __future__ import annotations

from vsr_compiler.review.diff_text import summary
from vsr_compiler.review.diff_text import text as diff_text
from vsr_compiler.review.page.model import Cell, Section, Table
from vsr_schemas.reports_diff import DiffReport
from vsr_schemas.reports_eval import EvalReport
from vsr_schemas.reports_impact import FlowReport, GroupReport, ImpactReport, ShareReport

MOST_LINES, MOST_ROWS = 2_000, 50
OTHER = "other"


def diff_section(report: DiffReport) -> Section:
    """Return what changes against an earlier output."""
    if not report.different:
        return Section("change", "Change", (f"Nothing changes against {report.against}.",))
    lines = diff_text(report).splitlines()
    cut = [f"… {len(lines) - MOST_LINES} more lines; `vsr-compile diff` shows all."] if len(lines) > MOST_LINES else []
    words = f"Against {report.against}: {summary(report)}."
    return Section("change", "Change", (words,), text="\n".join([*lines[:MOST_LINES], *cut]))


def impact_section(report: ImpactReport) -> Section:
    """Return what changes for recorded traffic."""
    decided = report.requests - report.undecided
    rows = [
        _part("changed in some way", report.changed),
        _part("other model or answer", report.model),
        _part("other route", report.route),
        _part("other guards", report.guard),
        _part("newly blocked", report.newly_blocked),
        _part("unblocked", report.unblocked),
    ]
    tables = [Table("Requests that change", ("what", "requests", "share", "95 % interval"), tuple(rows))]
    moved = [flow for flow in report.flows if flow.old != flow.new]
    if moved:
        tables.append(_flows("Models, before and after", moved))
    routes = [flow for flow in report.routes if flow.old != flow.new]
    if routes:
        tables.append(_flows("Routes, before and after", routes))
    if report.teams:
        tables.append(_groups("By team", report.teams))
    words = [f"{report.old} → {report.new}: {decided:,} recorded requests."]
    if report.cost is not None and report.cost.requests:
        cost = report.cost
        words.append(
            f"Cost {cost.old:,.4f} → {cost.new:,.4f} "
            f"(95 % interval of the difference: {cost.low:+,.4f} to {cost.high:+,.4f})."
        )
    return Section("impact", "Effect on recorded traffic", tuple(words), tables=tuple(tables))


def evaluation_section(report: EvalReport) -> Section:
    """Return how well categories are separated, with the matrix of confusions."""
    names = [row.name for row in report.categories]
    columns = [*names, *([OTHER] if OTHER not in names else [])]
    wrong = {(item.category, item.found): item.count for item in report.confusions}
    rows = []
    for row in report.categories:
        cells = [Cell(row.name)]
        for name in columns:
            count = row.right if name == row.name else wrong.get((row.name, name), 0)
            heat = round(9 * count / row.count) if row.count else 0
            cells.append(Cell(str(count) if count else "", heat=heat, number=True))
        rows.append(tuple(cells))
    matrix = Table(
        "Confusions: rows are what prompts are, columns what they were taken for", ("category", *columns), tuple(rows)
    )
    quality = [
        (
            Cell(row.name),
            Cell(str(row.count), number=True),
            Cell(_percent(row.recall), number=True),
            Cell(_percent(row.precision), number=True),
        )
        for row in report.categories
    ]
    what = "examples, each by a head trained without it" if report.method == "held-out" else "prompts"
    words = (
        f"{report.count} {what}: "
        f"{_percent(report.accuracy)} right at the threshold {report.threshold:g}, calibration error "
        f"{report.calibration:.3f}."
    )
    table = Table("Categories", ("category", "prompts", "recall", "precision"), tuple(quality))
    return Section("evaluation", "Evaluation of the classifier", (words,), tables=(table, matrix))


def _part(name: str, part: ShareReport) -> tuple[Cell, ...]:
    return (
        Cell(name),
        Cell(f"{part.count:,}", number=True),
        Cell(_percent(part.share), number=True),
        Cell(f"{_percent(part.low)} to {_percent(part.high)}", number=True),
    )


def _flows(caption: str, flows: list[FlowReport]) -> Table:
    rows = [
        (Cell(flow.old or "named model"), Cell(flow.new or "named model"), Cell(f"{flow.count:,}", number=True))
        for flow in flows[:MOST_ROWS]
    ]
    return Table(caption, ("from", "to", "requests"), tuple(rows))


def _groups(caption: str, groups: list[GroupReport]) -> Table:
    rows = [
        (
            Cell(group.name),
            Cell(f"{group.requests:,}", number=True),
            Cell(f"{group.changed:,}", number=True),
            Cell("" if group.old_cost is None else f"{group.old_cost:,.4f} → {group.new_cost or 0:,.4f}", number=True),
        )
        for group in groups[:MOST_ROWS]
    ]
    return Table(caption, ("name", "requests", "changed", "cost"), tuple(rows))


def _percent(share: float) -> str:
    return f"{share * 100:.1f} %"
