"""Which workloads get new pods, and why."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.manifests.immutable import group_kind
from vsr_compiler.manifests.kinds import ARGO_GROUP
from vsr_compiler.review.environment_changes import Body, Environments
from vsr_compiler.review.field_diff import changes
from vsr_compiler.review.rollout.words import label, listed, mapping
from vsr_schemas.reports_diff import RolloutChange

WORKLOADS = frozenset({("apps", "Deployment"), ("apps", "StatefulSet"), ("apps", "DaemonSet"), (ARGO_GROUP, "Rollout")})
MOST = 4
"""How many fields are named; the files list all of them."""


def restarts(environments: Environments) -> Iterator[RolloutChange]:
    """Yield one change per workload and reason, with its environments."""
    texts: dict[tuple[str, str], list[str]] = {}
    for change in environments.changes:
        if change.old is None or change.new is None or group_kind(change.new) not in WORKLOADS:
            continue
        old, new = (mapping(mapping(body.get("spec")).get("template")) for body in (change.old, change.new))
        if fields := list(dict.fromkeys(_short(item.path) for item in changes(old, new))):
            more = f" and {len(fields) - MOST} more" if len(fields) > MOST else ""
            reason = f"gets new pods, because of {', '.join(fields[:MOST])}{more}{_gap(change.new)}"
            texts.setdefault((label(change.new), reason), []).append(change.environment)
    for (name, reason), where in texts.items():
        yield RolloutChange(text=f"{name} in {listed(where)} {reason}")


def _short(path: str) -> str:
    """Return the field without the part that all pod templates share, and without the item of a list of scalars."""
    return path.removeprefix("spec.").removesuffix("[]").removesuffix(" (order)")


def _gap(body: Body) -> str:
    """Return whether requests fail while the pods are replaced."""
    spec = mapping(body.get("spec"))
    strategy = mapping(spec.get("strategy"))
    rolling = mapping(strategy.get("rollingUpdate"))
    if strategy.get("type") == "Recreate":
        return "; all old pods stop first, so its requests fail until a new one is ready"
    if spec.get("replicas") == 1 and rolling.get("maxSurge") == 0:
        return "; its only pod stops first, so its requests fail until the new one is ready"
    return ""
