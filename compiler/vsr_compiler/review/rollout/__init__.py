"""What a change does to what runs: refused changes with their steps, restarts, leftovers, and what to apply by hand."""

from __future__ import annotations

from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.environment_changes import environment_changes
from vsr_compiler.review.rollout.argo_cd import argo_cd_changes
from vsr_compiler.review.rollout.charts import chart_changes
from vsr_compiler.review.rollout.flux import flux_changes
from vsr_compiler.review.rollout.hosts import host_changes
from vsr_compiler.review.rollout.interruptions import interruptions
from vsr_compiler.review.rollout.left_behind import left_behind
from vsr_compiler.review.rollout.refused import refused_changes
from vsr_compiler.review.rollout.restarts import restarts
from vsr_compiler.review.rollout.two_steps import two_steps
from vsr_schemas.reports_diff import RolloutChange

__all__ = ["rollout_changes"]


def rollout_changes(policy: str, trees: Comparison) -> list[RolloutChange]:
    """Return the effects on what runs: what is refused first, then what to do by hand, then what happens by itself."""
    environments = environment_changes(trees)
    return [
        *refused_changes(policy, trees, environments),
        *chart_changes(trees),
        *argo_cd_changes(policy, trees),
        *flux_changes(policy, trees, environments),
        *host_changes(policy, trees),
        *two_steps(trees, environments),
        *interruptions(environments),
        *restarts(environments),
        *left_behind(policy, trees, environments),
    ]
