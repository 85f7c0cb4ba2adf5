"""Changes that the API server refuses. Argo CD then applies nothing of the commit, since it tries all objects first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from vsr_compiler.manifests.immutable import Refusal, Remedy, group_kind, refusals
from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.environment_changes import Body, Environments, ObjectChange, environment_objects
from vsr_compiler.review.rollout.words import items, kubectl, label, listed, mapping, value
from vsr_schemas.reports_diff import RolloutChange

RULE = "change refused"


def refused_changes(policy: str, trees: Comparison, environments: Environments) -> Iterator[RolloutChange]:
    """Yield one change per object, with its fields and environments."""
    texts: dict[tuple[str, str], list[ObjectChange]] = {}
    for change in environments.changes:
        if change.old is None or change.new is None:
            continue
        if found := list(refusals(change.old, change.new)):
            texts.setdefault((label(change.new), "; ".join(map(_field, found))), []).append(change)
    for (name, fields), changes in texts.items():
        where = [change.environment for change in changes]
        text = f"{name} in {listed(where)}: the API server refuses to change {fields}"
        yield RolloutChange(text=text, breaking=RULE, steps=list(_steps(policy, trees, changes)))


def _field(refusal: Refusal) -> str:
    return f"{refusal.path} {value(refusal.old)} → {value(refusal.new)}"


def _steps(policy: str, trees: Comparison, changes: list[ObjectChange]) -> Iterator[str]:
    old, body = mapping(changes[0].old), mapping(changes[0].new)
    remedy = next(refusals(old, body)).remedy
    applications = " and ".join(f"`argocd app sync {policy}-{change.environment}`" for change in changes)
    merge = "Merge this change. Argo CD tries all objects first, names this one, and applies nothing."
    again = f"Sync again: {applications}. Without Argo CD: apply the overlay."
    match remedy:
        case Remedy.DELETE:
            yield merge
            yield f"Delete the object, which is missing until the next step: `{kubectl('delete', body)}`"
            yield again
        case Remedy.KEEP_PODS:
            yield merge
            yield f"Delete it and keep its pods, which serve on: `{kubectl('delete', body, '--cascade=orphan')}`"
            yield again
            yield "Delete the old ReplicaSet or pods when the new pods are ready: nothing owns them any more."
        case Remedy.RELEASE:
            holders = _holders(environment_objects(trees, changes[0].environment), body)
            yield "Copy what you need from the volume, such as adapters. Weights are downloaded again."
            who = listed(holders) or "every pod that mounts it"
            yield (
                f"In a change of its own, set `replicas` of {who} to 0 in the environment, and sync it: a claim that a "
                "pod mounts stays Terminating. Its requests fail until step 5."
            )
            yield merge
            yield f"Delete the claim: `{kubectl('delete', body)}`"
            yield again
        case _:
            assert_never(remedy)


def _holders(bodies: Iterable[Body], claim: Body) -> list[str]:
    """Return the workloads that mount a claim."""
    if group_kind(claim) != ("", "PersistentVolumeClaim"):
        return []
    metadata = mapping(claim.get("metadata"))
    return sorted(
        label(body)
        for body in bodies
        if mapping(body.get("metadata")).get("namespace") == metadata.get("namespace")
        and metadata.get("name") in _claims(body)
    )


def _claims(body: Body) -> set[object]:
    template = mapping(mapping(mapping(body.get("spec")).get("template")).get("spec"))
    return {mapping(volume.get("persistentVolumeClaim")).get("claimName") for volume in items(template.get("volumes"))}
