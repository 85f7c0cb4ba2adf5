"""Makes the report of a tally."""

from __future__ import annotations

import math
from collections import Counter

from vsr_compiler.impact.tally import PER_TOKEN, Key, Tally
from vsr_schemas.reports_impact import (
    CostReport,
    FlowReport,
    GroupReport,
    GuardReport,
    ImpactReport,
    NearReport,
    SampleReport,
    ShareReport,
    SkippedReport,
)

Z = 1.959963984540054
"""Standard deviations of a normal distribution that hold 95 %."""
MONEY = PER_TOKEN * 10**6
"""Billionths of a unit of the currency."""
MOST_FLOWS, MOST_GROUPS, MOST_SAMPLES = 200, 50, 60


def report(tally: Tally, old: str, new: str, *, complete: bool) -> ImpactReport:
    """Return the report.

    Args:
        tally: What was counted.
        old: What the user calls the policy of before.
        new: What the user calls the policy of after.
        complete: Whether all traffic was read.
    """
    counts = tally.counts
    requests, undecided = counts["requests",], counts["undecided",]
    decided = requests - undecided
    return ImpactReport(
        old=old,
        new=new,
        complete=complete,
        requests=requests,
        undecided=undecided,
        skipped=[
            SkippedReport(reason=key[1], count=number, first=tally.firsts.get(key[1], ""))
            for key, number in _most(counts, "skipped")
        ],
        changed=share(counts["changed", "any"], decided),
        model=share(counts["changed", "model"], decided),
        route=share(counts["changed", "route"], decided),
        guard=share(counts["changed", "guard"], decided),
        newly_blocked=share(counts["changed", "newly-blocked"], decided),
        unblocked=share(counts["changed", "unblocked"], decided),
        flows=_flows(counts, "flow"),
        routes=_flows(counts, "route"),
        guards=_guards(counts),
        cost=_cost(counts),
        teams=_groups(counts, "team"),
        apis=_groups(counts, "api"),
        nearest=[
            NearReport(id=one.id, distance=one.distance, between=one.words, old=one.old, new=one.new, text=one.text)
            for one in tally.nearest
        ],
        samples=_samples(tally),
    )


def share(count: int, total: int) -> ShareReport:
    """Return a part of some requests with its 95 % interval by Wilson's score.

    >>> share(10, 100).model_dump()
    {'count': 10, 'share': 0.1, 'low': 0.055229, 'high': 0.174366}
    """
    if not total:
        return ShareReport(count=count, share=0.0, low=0.0, high=0.0)
    part, weight = count / total, Z * Z / total
    middle = (part + weight / 2) / (1 + weight)
    reach = Z / (1 + weight) * math.sqrt(part * (1 - part) / total + weight / (4 * total))
    low = 0.0 if not count else max(0.0, middle - reach)
    high = 1.0 if count == total else min(1.0, middle + reach)
    return ShareReport(count=count, share=round(part, 6), low=round(low, 6), high=round(high, 6))


def _most(counts: Counter[Key], name: str) -> list[tuple[Key, int]]:
    """Return the counts of one kind, the largest first."""
    own = [(key, number) for key, number in counts.items() if key[0] == name and number]
    return sorted(own, key=lambda item: (-item[1], item[0]))


def _flows(counts: Counter[Key], name: str) -> list[FlowReport]:
    return [FlowReport(old=key[1], new=key[2], count=number) for key, number in _most(counts, name)[:MOST_FLOWS]]


def _guards(counts: Counter[Key]) -> list[GuardReport]:
    names = sorted({key[1] for key in counts if key[0] == "guard"})
    return [
        GuardReport(
            name=name,
            old=counts["guard", name, "both"] + counts["guard", name, "old"],
            new=counts["guard", name, "both"] + counts["guard", name, "new"],
            newly=counts["guard", name, "new"],
            gone=counts["guard", name, "old"],
        )
        for name in names
    ]


def _cost(counts: Counter[Key]) -> CostReport | None:
    requests, unpriced = counts["cost", "requests"], counts["cost", "unpriced"]
    if not requests and not unpriced:
        return None
    old, new, squares = (counts["cost", name] for name in ("old", "new", "squares"))
    difference = new - old
    # The variance of the sum of independent requests, by exact whole numbers until here.
    variance = (squares * requests - difference * difference) / requests if requests else 0.0
    reach = Z * math.sqrt(max(0.0, variance))
    return CostReport(
        requests=requests,
        unpriced=unpriced,
        estimated=counts["cost", "estimated"],
        old=_money(old),
        new=_money(new),
        new_uncached=_money(counts["cost", "new-uncached"]),
        low=_money(difference - reach),
        high=_money(difference + reach),
    )


def _groups(counts: Counter[Key], kind: str) -> list[GroupReport]:
    own = sorted(
        ((key[1], number) for key, number in counts.items() if key[0] == kind and key[2] == "requests"),
        key=lambda item: (-item[1], item[0]),
    )
    if [name for name, _ in own] == [""]:
        return []  # the traffic names no team
    return [
        GroupReport(
            name=name or "(none)",
            requests=number,
            changed=counts[kind, name, "changed"],
            old_cost=_money(counts[kind, name, "old"]) if (kind, name, "old") in counts else None,
            new_cost=_money(counts[kind, name, "new"]) if (kind, name, "new") in counts else None,
        )
        for name, number in own[:MOST_GROUPS]
    ]


def _samples(tally: Tally) -> list[SampleReport]:
    """Return samples of the most frequent changes."""
    cells = sorted(tally.samples, key=lambda cell: (-tally.counts["change", *cell], cell))
    found = [
        SampleReport(id=sample.id, old=cell[0], new=cell[1], text=sample.text)
        for cell in cells
        for sample in tally.samples[cell]
    ]
    return found[:MOST_SAMPLES]


def _money(billionths: float) -> float:
    return round(billionths / MONEY, 9)
