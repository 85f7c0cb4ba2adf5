"""Builds the diff report of a policy: changes for traffic, then for what runs, then files; breaking ones are marked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vsr_compiler.review.baseline import Baseline
from vsr_compiler.review.breaking import PolicyChange, breaking
from vsr_compiler.review.change_text import ChangeText, Tag
from vsr_compiler.review.compare import Comparison, file_changes
from vsr_compiler.review.deployment_diff import deployment_changes
from vsr_compiler.review.rollout import rollout_changes
from vsr_compiler.review.traffic import read_traffic
from vsr_compiler.review.traffic_diff import new_policy_changes, traffic_changes
from vsr_schemas.reports_diff import DiffReport, TrafficChange

CONFIG, RUNTIME = "router/config.yaml", "router/runtime.yaml"


def report(policy: str, old: Baseline, new: Mapping[str, bytes]) -> DiffReport:
    """Compare an earlier output with the files of a fresh compile.

    Raises:
        CompileError: VSR306 if a file of the earlier output cannot be read.
    """
    trees = Comparison(old.files, new, old.label)
    before = read_traffic(trees.old(CONFIG), trees.old(RUNTIME))
    after = read_traffic(trees.new(CONFIG), trees.new(RUNTIME))
    changes = (
        [*traffic_changes(before, after), *deployment_changes(trees)] if old.files else list(new_policy_changes(after))
    )
    # A new policy breaks nothing.
    breaking_changes = list(breaking(PolicyChange(before, after, trees))) if old.files else []
    return DiffReport(
        policy=policy,
        against=old.label,
        traffic=[
            TrafficChange(text=change.text, breaking=change.breaking or None)
            for change in _merged(changes, breaking_changes)
        ],
        rollout=rollout_changes(policy, trees) if old.files else [],
        files=list(file_changes(trees.pairs)),
    )


def _merged(changes: Iterable[ChangeText], breaking_changes: Iterable[ChangeText]) -> list[ChangeText]:
    """Return each change once, with the rule that classifies it as breaking; breaking changes come first."""
    rules: dict[Tag, ChangeText] = {change.tag: change for change in breaking_changes}
    merged = [
        ChangeText(change.tag, change.text, rules[change.tag].breaking if change.tag in rules else "")
        for change in changes
    ]
    known = {change.tag for change in merged}
    merged += [change for tag, change in rules.items() if tag not in known]
    return sorted(merged, key=lambda change: not change.breaking)
