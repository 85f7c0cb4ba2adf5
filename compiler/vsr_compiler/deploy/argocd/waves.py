"""Annotations that tell Argo CD when to apply an object, and which objects to leave when they are gone from git.

Both follow from the table of kinds, `Kind.wave` and `Kind.kept`, unless an object has a wave of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from vsr_compiler.manifests.kinds import GroupKind, Kind, Wave
from vsr_compiler.manifests.objects import Object
from vsr_compiler.targets import kinds

ANNOTATION = "argocd.argoproj.io/sync-wave"
KEEP: Mapping[str, str] = MappingProxyType(
    {
        "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
        "argocd.argoproj.io/sync-options": "Delete=false,Prune=false",
    }
)
"""Neither a sync nor the end of the Application deletes the object, and Argo CD reports no drift if it stays."""


STEP = "vsr.dev/step"
"""Label by which kubectl and Flux, which know no waves, apply routes after servers, and the router after routes."""
STEPS: Mapping[Wave, str] = MappingProxyType(
    {Wave.ROUTE: "routes", Wave.LATE_PATCH: "routes", Wave.ROUTER: "router"},
)


def waved(objects: Iterable[Object]) -> tuple[Object, ...]:
    """Return the objects with their annotations for Argo CD."""
    table = kinds()
    return tuple(_annotated(item, table) for item in objects)


def _annotated(item: Object, table: Mapping[GroupKind, Kind]) -> Object:
    kind = table[item.group_kind]
    wave = kind.wave if item.wave is None else item.wave
    # Argo CD's default wave is not written.
    added = {ANNOTATION: str(wave.value)} if wave is not Wave.WORKLOAD else {}
    if kind.kept:
        added |= KEEP
    if not added:
        return item
    metadata = item.body["metadata"]
    if wave in STEPS:
        metadata = {**metadata, "labels": {**metadata.get("labels", {}), STEP: STEPS[wave]}}
    annotations = {**metadata.get("annotations", {}), **added}
    return replace(item, body={**item.body, "metadata": {**metadata, "annotations": annotations}})
