"""The table of heads that are trained from examples of their own: what they were measured to find."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.heads.artifact import recommended_threshold
from vsr_compiler.heads.head_quality import FEW
from vsr_compiler.heads.held_out import measurement_of
from vsr_compiler.heads.label_heads import head_file, own_heads
from vsr_compiler.review.page.model import Cell, Table
from vsr_runtime.inference.errors import ModelError


def head_tables(policy: ir.Policy) -> tuple[Table, ...]:
    """Return the table; none if the policy has no such heads."""
    rows = tuple(_rows(policy))
    head = ("classifier", "labels", "threshold", "found", "false alarms", "measured on")
    return (Table("Heads of labels and attacks, on topics that they have not seen", head, rows),) if rows else ()


def _rows(policy: ir.Policy) -> Iterator[tuple[Cell, ...]]:
    for classifier in own_heads(policy):
        data = policy.router.files.get(head_file(classifier))
        if data is None:
            continue
        try:
            measured = measurement_of(data)
            threshold = recommended_threshold(data) if classifier.threshold is None else classifier.threshold
        except ModelError:
            continue
        at = measured.at(threshold)
        yield (
            Cell(classifier.name),
            Cell(", ".join(classifier.labels)),
            Cell(f"{threshold:g}", number=True),
            Cell(f"{at.recall:.0%}", "warn" if at.recall < FEW else "", number=True),
            Cell(f"{at.false_alarms:.1%}", number=True),
            Cell(f"{measured.labelled} texts with a label, {measured.harmless} without"),
        )
