"""Values of Helm charts: nobody syncs them, and some of them end in fields that the API server refuses to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from vsr_compiler.review.compare import Comparison
from vsr_compiler.review.rollout.refused import RULE
from vsr_compiler.review.rollout.words import items, kubectl, mapping, value
from vsr_schemas.quantities import amount
from vsr_schemas.reports_diff import RolloutChange

PREFIX = "values-"


@dataclass(frozen=True, slots=True)
class FixedValue:
    """A value that a chart writes into a field that never changes.

    Attributes:
        path: Its keys; `[]` after a key stands for every item of a list, by `name`.
        target: The object and field, for people.
        source: The chart's template.
        grows: Whether the value may become larger.
    """

    path: str
    target: str
    source: str
    grows: bool = False


_CLAIM = "PersistentVolumeClaim"
_STACK_CHART, _ROUTER_CHART = "vllm-stack", "semantic-router"
_STACK = "helm/templates"
_ROUTER = "deploy/helm/semantic-router/templates"
FIXED: Mapping[str, tuple[FixedValue, ...]] = {
    _STACK_CHART: (
        FixedValue("servingEngineSpec.modelSpec[].pvcAccessMode", f"{_CLAIM}: accessModes", f"{_STACK}/pvc.yaml"),
        FixedValue("servingEngineSpec.modelSpec[].pvcStorage", f"{_CLAIM}: storage", f"{_STACK}/pvc.yaml", grows=True),
        FixedValue("servingEngineSpec.modelSpec[].storageClass", f"{_CLAIM}: storageClassName", f"{_STACK}/pvc.yaml"),
        FixedValue("servingEngineSpec.modelSpec[].pvcMatchLabels", f"{_CLAIM}: selector", f"{_STACK}/pvc.yaml"),
        FixedValue("servingEngineSpec.labels", "Deployment: selector", f"{_STACK}/deployment-vllm-multi.yaml"),
        FixedValue("routerSpec.labels", "Deployment: selector", f"{_STACK}/deployment-router.yaml"),
    ),
    _ROUTER_CHART: (
        FixedValue("persistence.accessMode", f"{_CLAIM}: accessModes", f"{_ROUTER}/pvc.yaml"),
        FixedValue("persistence.size", f"{_CLAIM}: storage", f"{_ROUTER}/pvc.yaml", grows=True),
        FixedValue(
            "persistence.storageClassName",
            f"{_CLAIM}: storageClassName",
            f"{_ROUTER}/pvc.yaml",
        ),
        FixedValue("nameOverride", "Deployment: selector", f"{_ROUTER}/_helpers.tpl"),
    ),
}
"""By chart. Sources: vllm-project/production-stack at a6c01db0, vllm-project/semantic-router at 3d48f8c9c."""


_FREE = (
    "Delete the objects first: Deployments with `--cascade=orphan`; claims after an upgrade in which their "
    "`replicaCount` is 0, and after a copy of what you need from the volume."
)


def chart_changes(trees: Comparison) -> Iterator[RolloutChange]:
    """Yield the charts to upgrade, with what Helm cannot change."""
    installed = set(_installed(trees))
    for pair in trees.pairs:
        path = PurePosixPath(pair.path)
        if "helm" not in path.parts[:-1] or not path.name.startswith(PREFIX) or pair.new is None:
            continue
        chart = path.stem.removeprefix(PREFIX)
        synced = chart in installed
        old, new = mapping(pair.old), mapping(pair.new)
        refused = list(_refused(FIXED.get(chart, ()), old, new)) if old else []
        upgrade = f"Upgrade the chart {chart} with {pair.path}: no Application syncs it."
        if synced:
            upgrade = f"Then sync: Argo CD and Flux upgrade the chart {chart} with {pair.path}."
        yield from _deleted(chart, old, new)
        if refused:
            text = f"chart {chart} ({pair.path}): the API server refuses to change {'; '.join(refused)}"
            yield RolloutChange(
                text=text,
                breaking=RULE,
                steps=[_FREE, upgrade],
            )
        elif synced:
            what = "changes" if old else "is new"
            yield RolloutChange(text=f"chart {chart} {what}: Argo CD and Flux apply its values with the sync", steps=[])
        else:
            what = "changes" if old else "is new"
            yield RolloutChange(text=f"chart {chart} {what}: Helm applies its values, not Argo CD", steps=[upgrade])


def _deleted(chart: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[RolloutChange]:
    """Yield the claims that an upgrade deletes: Helm, unlike a sync, keeps none."""
    kept = _claims(chart, new)
    for name in _claims(chart, old):
        if name not in kept:
            claim = {"kind": _CLAIM, "metadata": {"name": name}}
            annotate = kubectl("annotate", claim, "helm.sh/resource-policy=keep")
            yield RolloutChange(
                text=f"the upgrade of chart {chart} deletes the claim {name} with its content",
                steps=[f"To keep it, before the upgrade and in its namespace: `{annotate}`"],
            )


def _claims(chart: str, values: Mapping[str, Any]) -> list[str]:
    """Return the names of the claims that a chart creates with its values. Sources: `pvc.yaml` of both charts."""
    if chart == _STACK_CHART:
        return [
            f"{chart}-{model.get('name')}-storage-claim"
            for model in items(mapping(values.get("servingEngineSpec")).get("modelSpec"))
            if model.get("pvcStorage") and not model.get("pvcExistingClaimName")
        ]
    persistence = mapping(values.get("persistence"))
    if chart == _ROUTER_CHART and persistence.get("enabled") is True and not persistence.get("existingClaim"):
        return [f"{values.get('fullnameOverride')}-models"]
    return []


def _installed(trees: Comparison) -> Iterator[str]:
    """Yield the charts that Applications of the new tree install."""
    for path in trees.paths(old=False):
        if path.startswith("argocd/") and PurePosixPath(path).name.startswith("application-"):
            spec = mapping(mapping(trees.new(path)).get("spec"))
            yield from (str(source["chart"]) for source in items(spec.get("sources")) if "chart" in source)


def _refused(fixed: tuple[FixedValue, ...], old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for entry in fixed:
        before, after = _values(old, entry.path), _values(new, entry.path)
        for name in sorted(before.keys() & after.keys()):
            was, now = before[name], after[name]
            if was == now or (entry.grows and (amount(str(was)) or 0) <= (amount(str(now)) or 0)):
                continue
            yield f"{f'{name}: ' if name else ''}{value(was)} → {value(now)} ({entry.target})"


def _values(body: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return the values at a path, by the name of the list item; the name is empty outside lists."""
    head, _, rest = path.partition("[].")
    *folders, last = head.split(".")
    for key in folders:
        body = mapping(body.get(key))
    if not rest:
        return {"": body.get(last)} if body else {}
    return {str(item.get("name")): item.get(rest) for item in items(body.get(last))}
