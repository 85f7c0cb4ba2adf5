"""The annotation by which Flux leaves objects in the cluster that are gone from the repository: see `Kind.kept`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vsr_compiler.manifests.kinds import ARGO_GROUP
from vsr_compiler.manifests.objects import Object
from vsr_compiler.targets import kinds

ANNOTATION = "kustomize.toolkit.fluxcd.io/prune"


def kept(objects: Iterable[Object]) -> tuple[Object, ...]:
    """Return the objects, those of kinds with data of others annotated."""
    table, found = kinds(), tuple(objects)
    places = {item.namespace for item in found if item.group_kind == (ARGO_GROUP, "Rollout")}
    return tuple(_annotated(item) if table[item.group_kind].kept or _needed(item, places) else item for item in found)


def _needed(item: Object, places: set[str]) -> bool:
    """Return whether old pods still mount a ConfigMap that a change replaces: Flux deletes before it waits.

    Pods of a rollout that goes back would not start without it.
    """
    return item.group_kind == ("", "ConfigMap") and bool(item.body.get("immutable")) and item.namespace in places


def _annotated(item: Object) -> Object:
    metadata = item.body["metadata"]
    annotations = {**metadata.get("annotations", {}), ANNOTATION: "disabled"}
    return replace(item, body={**item.body, "metadata": {**metadata, "annotations": annotations}})
