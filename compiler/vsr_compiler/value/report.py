"""The report of a measurement, as Markdown and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from vsr_compiler.review.markdown_text import escaped
from vsr_compiler.value import measure
from vsr_compiler.value.drawing import drawn
from vsr_compiler.value.measure import Point, Result
from vsr_compiler.value.table import Table

THOUSAND = 1000
Switched = Mapping[str, tuple[int, int, float]]
"""By wording: the number of prompts, those whose choice switches, and the accuracy with that wording."""


@dataclass(frozen=True, slots=True)
class Report:
    """What was measured.

    Attributes:
        table: The table.
        results: Each way to choose, policies first.
        policies: How many of the results are policies.
        switched: By policy: what other wordings change.
        groups: By policy: what groups of prompts give.
    """

    table: Table
    results: Sequence[Result]
    policies: int
    switched: Mapping[str, Switched]
    groups: Mapping[str, Mapping[str, tuple[int, float, float]]]

    @property
    def models(self) -> list[Point]:
        """Cost and accuracy of each single model."""
        alone = (measure.measured("", self.table, measure.always(self.table, model)) for model in self._numbers)
        return [(one.cost, one.accuracy) for one in alone]

    @property
    def _numbers(self) -> range:
        return range(len(self.table.models))


def markdown(report: Report) -> str:
    """Render as Markdown."""
    table, mixtures = report.table, report.models
    best = measure.measured("", table, measure.always(table, measure.best_model(table)))
    cheapest = measure.measured("", table, measure.always(table, measure.cheapest_model(table)))
    lines = [f"{len(table.rows):,} prompts, {len(table.models)} models. Intervals hold 95 %.", ""]
    if table.incomplete:
        lines[0] += f" {table.incomplete:,} prompts without a score or cost of each model are left out."
    lines += [
        "| choice | accuracy | cost of 1,000 prompts | regret | gap closed | above mixtures | refused |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in report.results:
        gap = measure.recovered(one, best, cheapest)
        mixed = measure.mixed_accuracy(mixtures, one.cost)
        cells = (
            escaped(one.name),
            _ranged(one.accuracy, one.accuracy_low, one.accuracy_high),
            _ranged(one.cost * THOUSAND, one.cost_low * THOUSAND, one.cost_high * THOUSAND),
            _ranged(one.regret, one.regret_low, one.regret_high),
            "" if gap is None else f"{gap:.0%}",
            "" if mixed is None else f"{one.accuracy - mixed:+.3f}",
            f"{one.refused:.1%}" if one.refused else "",
        )
        lines.append(f"| {' | '.join(cells)} |")
    for name, wordings in report.switched.items():
        plain = next(one.accuracy for one in report.results if one.name == name)
        lines += ["", f"Other wordings of the same prompts, {escaped(name)}:", ""]
        lines += ["| wording | choice switches | accuracy |", "|---|---|---|"]
        for wording, (count, changed, accuracy) in wordings.items():
            lines.append(
                f"| {wording} | {changed / count:.1%} of {count:,} | {accuracy:.3f} ({accuracy - plain:+.3f}) |"
            )
    for name, groups in report.groups.items():
        if len(groups) > 1:
            lines += [
                "",
                f"By group, {escaped(name)}:",
                "",
                "| group | prompts | accuracy | oracle |",
                "|---|---|---|---|",
            ]
            lines += [
                f"| {escaped(group)} | {count:,} | {score:.3f} | {most:.3f} |"
                for group, (count, score, most) in list(groups.items())[:MOST_GROUPS]
            ]
    return "\n".join(lines) + "\n"


MOST_GROUPS = 60


def data(report: Report) -> dict[str, Any]:
    """Return the report as JSON."""
    return {
        "prompts": len(report.table.rows),
        "incomplete": report.table.incomplete,
        "models": list(report.table.models),
        "results": [asdict(one) for one in report.results],
        "robustness": {
            name: {
                wording: {"prompts": count, "switched": changed, "accuracy": accuracy}
                for wording, (count, changed, accuracy) in wordings.items()
            }
            for name, wordings in report.switched.items()
        },
        "groups": {
            name: {
                group: {"prompts": count, "accuracy": score, "oracle": most}
                for group, (count, score, most) in own.items()
            }
            for name, own in report.groups.items()
        },
        "oracleCurve": measure.oracle_curve(report.table),
    }


def svg(report: Report) -> str:
    """Draw accuracy over cost."""
    models = [(cost * THOUSAND, score) for cost, score in report.models]
    points: list[tuple[str, str, Point]] = [
        ("model", name, place) for name, place in zip(report.table.models, models, strict=True)
    ]
    for number, one in enumerate(report.results):
        place = (one.cost * THOUSAND, one.accuracy)
        if number < report.policies:
            points.append(("policy", one.name, place))
        elif one.name in {"random", "oracle"}:
            points.append((one.name, one.name, place))
    curve = [(cost * THOUSAND, score) for cost, score in measure.oracle_curve(report.table)]
    return drawn(points, models, curve, f"Accuracy and cost of {len(report.table.rows):,} prompts")


def _ranged(value: float, low: float, high: float) -> str:
    return f"{value:.3f} ({low:.3f} to {high:.3f})"
