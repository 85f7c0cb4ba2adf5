"""Argo CD's own objects, which no Application syncs: what to apply by hand, and in which order."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from vsr_compiler.review.compare import Comparison, Pair
from vsr_compiler.review.rollout.words import mapping
from vsr_schemas.reports_diff import RolloutChange

FOLDER = "argocd/"
LISTS = ("sourceRepos", "destinations", "clusterResourceWhitelist", "namespaceResourceWhitelist")


def argo_cd_changes(policy: str, trees: Comparison) -> Iterator[RolloutChange]:
    """Yield the AppProject, the settings and the Applications that must be applied."""
    pairs = [pair for pair in trees.pairs if pair.path.startswith(FOLDER)]
    if not any(path.startswith(FOLDER) for path in trees.paths(old=True)):
        return
    settings = f"--server-side --field-manager=vsr-compile-{policy} -f out/{policy}/argocd/settings"
    for pair in pairs:
        if pair.body.get("kind") == "AppProject" and pair.old is not None and pair.new is not None:
            yield from _project(policy, pair)
        elif pair.path.startswith(f"{FOLDER}settings/") and pair.new is not None:
            yield RolloutChange(
                text="Argo CD's health checks change",
                steps=[f"Before the sync: `kubectl apply {settings}`"],
            )
    yield from _applications(policy, pairs)


def _project(policy: str, pair: Pair) -> Iterator[RolloutChange]:
    """Compare what the projects allow: a sync needs what is new, and prunes only what is allowed."""
    old, new = _entries(pair.old), _entries(pair.new)
    added, removed = [entry for entry in new if entry not in old], [entry for entry in old if entry not in new]
    apply = f"`kubectl apply -k out/{policy}/argocd/project`"
    if added and removed:
        namespace = mapping(pair.body.get("metadata")).get("namespace", "argocd")
        patch = [{"op": "add", "path": f"/spec/{key}/-", "value": json.loads(entry)} for key, entry in added]
        operations = json.dumps(patch, separators=(",", ":"))
        yield RolloutChange(
            text="the AppProject allows other objects: a sync needs what it adds, and prunes only what it still allows",
            steps=[
                f"Before the sync: `kubectl -n {namespace} patch appproject {policy} --type=json -p '{operations}'`",
                f"After the sync: {apply}",
            ],
        )
    elif added:
        yield RolloutChange(
            text="the AppProject allows more", steps=[f"Before the sync, which fails otherwise: {apply}"]
        )
    elif removed:
        yield RolloutChange(
            text="the AppProject allows less: what it no longer allows is not pruned",
            steps=[f"After the sync: {apply}"],
        )


def _entries(project: Any) -> list[tuple[str, str]]:  # noqa: ANN401 - any JSON
    spec = mapping(mapping(project).get("spec"))
    return [(key, json.dumps(entry, sort_keys=True)) for key in LISTS for entry in _list(spec.get(key))]


def _list(content: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return content if isinstance(content, list) else []


def _applications(policy: str, pairs: list[Pair]) -> Iterator[RolloutChange]:
    changed = [pair for pair in pairs if pair.body.get("kind") == "Application" and pair.new is not None]
    for pair in changed:
        old, new = _server(pair.old), _server(pair.new)
        name = mapping(pair.body.get("metadata")).get("name")
        if old and new and old != new:
            yield RolloutChange(
                text=f"Application {name} moves from {old} to {new}; its objects in the old cluster stay there",
                steps=[
                    "Apply it, and wait until the new cluster serves.",
                    "Delete the old cluster's objects: `kubectl delete -k` with the overlay, in that cluster.",
                ],
            )
    if changed or any(pair.body.get("kind") == "ApplicationSet" for pair in pairs):
        folder = f"out/{policy}/argocd"
        yield RolloutChange(
            text="Argo CD's Applications change, which no Application syncs",
            steps=[
                f"What you applied before: `kubectl apply -k {folder}` or `kubectl apply -k {folder}/applicationset`"
            ],
        )


def _server(application: Any) -> str:  # noqa: ANN401 - any JSON
    destination: Mapping[str, Any] = mapping(mapping(mapping(application).get("spec")).get("destination"))
    return str(destination.get("server") or destination.get("name") or "")
