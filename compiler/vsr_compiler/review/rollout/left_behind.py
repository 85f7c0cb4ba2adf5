"""What stays in the cluster although the policy no longer has it."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.manifests.immutable import group_kind
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.environment_changes import Environments
from vsr_compiler.review.rollout.words import kubectl, label, listed
from vsr_compiler.targets import kinds
from vsr_schemas.reports_diff import RolloutChange


def left_behind(policy: str, trees: Comparison, environments: Environments) -> Iterator[RolloutChange]:
    """Yield kept objects, and environments whose Application outlives them."""
    kept: dict[str, tuple[list[str], str]] = {}
    table = kinds()
    for change in environments.changes:
        if change.old is None or change.new is not None:
            continue
        kind = table.get(group_kind(change.old))
        if kind is not None and kind.kept:
            where, _ = kept.setdefault(label(change.old), ([], kubectl("delete", change.old)))
            where.append(change.environment)
    for name, (where, command) in kept.items():
        text = f"{name} in {listed(where)} stays in the cluster with its content"
        yield RolloutChange(text=text, steps=[f"If nobody needs it any more: `{command}`"])
    for name in sorted(environments.old.keys() - environments.new.keys()):
        if any(path.startswith(f"{environments.old[name]}/overlays/{name}/") for path in trees.paths(old=True)):
            delete = f"`argocd app delete {policy}-{name} --cascade`"
            yield RolloutChange(
                text=f"environment {name} is removed, but its Application and all its objects stay",
                steps=[f"To remove them: {delete}, or without Argo CD `kubectl delete -k` with the overlay of before."],
            )
