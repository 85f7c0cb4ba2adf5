"""Renders the report for a terminal and as a pull-request comment. Texts of the traffic are shown as text only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from vsr_compiler.diagnostics.formats.text import clip
from vsr_compiler.review.markdown_text import escaped
from vsr_schemas.reports_impact import FlowReport, GroupReport, ImpactReport, ShareReport

Table = tuple[str, Sequence[str], Sequence[Sequence[str]]]
"""A title, the names of the columns, and the rows."""
ROWS, WIDTH = 20, 72
LIMIT = 60_000
"""Maximum bytes of a comment. GitHub accepts 65,536 characters."""
CUT = 200
MARKER = "<!-- vsr-compile impact -->"
"""The hidden first line by which a workflow finds its earlier comment."""


def text(report: ImpactReport) -> str:
    """Render for a terminal."""
    lines = [*_head(report)]
    for title, head, rows in _tables(report):
        cells = [[clip(cell, WIDTH) for cell in row] for row in rows]
        widths = [max(map(len, column)) for column in zip(head, *cells, strict=True)]
        lines += ["", title]
        lines += [("  " + "  ".join(map(str.ljust, row, widths))).rstrip() for row in (head, *cells)]
    return "\n".join(lines) + "\n"


def markdown(report: ImpactReport) -> str:
    """Render as a comment of its own, below ``LIMIT`` bytes."""
    return f"{MARKER}\n{part(report, LIMIT - len(MARKER) - 1)}"


def part(report: ImpactReport, limit: int) -> str:
    """Render as a part of a comment, below a number of bytes."""
    first, *others = _head(report)
    parts = [f"### Traffic\n\n{escaped(first)}\n"]
    parts += [f"- {escaped(line)}\n" for line in others]
    size = sum(len(part.encode()) for part in parts)
    for title, head, rows in _tables(report):
        table = [f"| {' | '.join(head)} |\n|{'---|' * len(head)}\n"]
        table += [f"| {' | '.join(escaped(cell, WIDTH) for cell in row)} |\n" for row in rows]
        block = f"\n<details><summary>{title}</summary>\n\n{''.join(table)}\n</details>\n"
        size += len(block.encode())
        if size > limit - CUT:
            parts.append("\n**Cut here.** `vsr-compile impact` shows all of it.\n")
            break
        parts.append(block)
    return "".join(parts)


def _head(report: ImpactReport) -> Iterator[str]:
    decided = report.requests - report.undecided
    state = "" if report.complete else ", interrupted"
    yield f"{report.old} → {report.new}: {decided:,} requests decided by both{state}"
    if not decided:
        yield "no request can be compared"
    yield f"changed        {_share(report.changed)}"
    yield f"other model    {_share(report.model)}"
    yield f"other route    {_share(report.route)}"
    yield f"other guards   {_share(report.guard)}"
    yield f"newly blocked  {_share(report.newly_blocked)}"
    yield f"unblocked      {_share(report.unblocked)}"
    if report.cost is not None and report.cost.requests:
        cost = report.cost
        yield f"cost           {_change(cost.old, cost.new)}, 95 %: {_signed(cost.low)} to {_signed(cost.high)}"
        if cost.new_uncached != cost.new:
            yield f"               {_change(cost.old, cost.new_uncached)} if no moved prompt is in a prefix cache"
        if cost.estimated:
            yield f"               {cost.estimated:,} requests without recorded tokens: prompts estimated, answers free"
    if report.cost is not None and report.cost.unpriced:
        yield f"               {report.cost.unpriced:,} requests of models without a price are not in it"
    if report.undecided:
        yield f"undecided      {report.undecided:,}: they need a model that is not on this machine"
    for skipped in report.skipped:
        yield f"left out       {skipped.count:,}: each {skipped.reason} (first: {skipped.first})"


def _share(part: ShareReport) -> str:
    if not part.count:
        return "none"
    return f"{part.count:,} ({_percent(part.share)}, 95 %: {_percent(part.low)} to {_percent(part.high)})"


def _tables(report: ImpactReport) -> Iterator[Table]:
    moved = [flow for flow in report.flows if flow.old != flow.new]
    if moved:
        yield "Models, before and after", ("requests", "from", "to"), _rows(moved)
    routes = [flow for flow in report.routes if flow.old != flow.new]
    if routes:
        yield "Routes, before and after", ("requests", "from", "to"), _rows(routes)
    guards = [guard for guard in report.guards if guard.newly or guard.gone]
    if guards:
        rows = [(one.name, f"{one.old:,}", f"{one.new:,}", f"{one.newly:,}", f"{one.gone:,}") for one in guards[:ROWS]]
        yield "Guards that match", ("guard", "before", "after", "newly", "no longer"), rows
    for title, groups in (("By team", report.teams), ("By API", report.apis)):
        if groups and (title == "By team" or len(groups) > 1):
            yield title, *_groups(groups)
    if report.nearest:
        yield (
            "Nearest to another category",
            ("distance", "between", "to", "request"),
            [(f"{one.distance:.4f}", one.between, one.new, one.text or one.id) for one in report.nearest[:ROWS]],
        )
    if report.samples:
        yield (
            "Some requests that change",
            ("from", "to", "request"),
            [(one.old, one.new, one.text or one.id) for one in report.samples[:ROWS]],
        )


def _rows(flows: Sequence[FlowReport]) -> list[tuple[str, str, str]]:
    return [(f"{flow.count:,}", flow.old or "(named model)", flow.new or "(named model)") for flow in flows[:ROWS]]


def _groups(groups: Sequence[GroupReport]) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    priced = any(group.old_cost is not None for group in groups)
    rows = []
    for group in groups[:ROWS]:
        row = [group.name, f"{group.requests:,}", f"{group.changed:,}"]
        if priced:
            known = group.old_cost is not None and group.new_cost is not None
            row.append(_change(group.old_cost or 0, group.new_cost or 0) if known else "")
        rows.append(row)
    return ("name", "requests", "changed", *(("cost",) if priced else ())), rows


def _change(old: float, new: float) -> str:
    relative = f" ({(new - old) / old:+.1%})" if old else ""
    return f"{old:,.4f} → {new:,.4f}{relative}"


def _signed(amount: float) -> str:
    return f"{amount:+,.4f}"


def _percent(share: float) -> str:
    return f"{share * 100:.2f} %"
