"""The annotation by which Flux leaves objects in the cluster that are gone from the repository: see `Kind.kept`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from vsr_compiler.manifests.objects import Object
from vsr_compiler.targets import kinds

ANNOTATION = "kustomize.toolkit.fluxcd.io/prune"


def kept(objects: Iterable[Object]) -> tuple[Object, ...]:
    """Return the objects, those of kinds with data of others annotated."""
    table = kinds()
    return tuple(_annotated(item) if table[item.group_kind].kept else item for item in objects)


def _annotated(item: Object) -> Object:
    metadata = item.body["metadata"]
    annotations = {**metadata.get("annotations", {}), ANNOTATION: "disabled"}
    return replace(item, body={**item.body, "metadata": {**metadata, "annotations": annotations}})
