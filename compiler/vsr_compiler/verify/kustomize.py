"""Apply the patches of a kustomization: JSON patches by target, and deletions by identity. Others are not supported."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from vsr_compiler.manifests import jsonpatch
from vsr_compiler.manifests.patches import MARK, selects
from vsr_compiler.verify.manifest import Body, Manifest, as_mapping

KEYS = frozenset({"group", "version", "kind", "name", "namespace"})
OPERATIONS = frozenset({"add", "remove", "replace"})
_PLAIN = re.compile(r"(?:[A-Za-z0-9-]|\\?\.)*")
"""Target values without regular expressions, which could take exponential time."""


def with_patch(manifests: Sequence[Manifest], entry: Body, patch: Any) -> list[Manifest] | None:  # noqa: ANN401 - any YAML
    """Return the objects with one patch applied; None if the patch is not supported or matches nothing.

    Added values have the place of the object.

    Args:
        manifests: The objects.
        entry: The patch's entry in the kustomization.
        patch: A JSON patch, or a deletion by identity.
    """
    if isinstance(patch, dict) and patch.get(MARK) == "delete":
        deleted = [manifest for manifest in manifests if _has_identity(manifest, patch)]
        return [manifest for manifest in manifests if manifest not in deleted] if deleted else None
    target = as_mapping(entry.get("target"))
    if not isinstance(patch, list) or not target or not target.keys() <= KEYS:
        return None
    if not all(as_mapping(manifest).get("op") in OPERATIONS for manifest in patch):
        return None
    if not all(isinstance(value, str) and _PLAIN.fullmatch(value) for value in target.values()):
        return None
    try:
        patched_bodies = {
            manifest: jsonpatch.apply(manifest.body, patch) for manifest in manifests if selects(target, manifest.body)
        }
    except (jsonpatch.PatchError, KeyError, TypeError, AttributeError, ValueError):
        return None
    return (
        [
            Manifest(patched_bodies[manifest], manifest.locate) if manifest in patched_bodies else manifest
            for manifest in manifests
        ]
        if patched_bodies
        else None
    )


def _has_identity(manifest: Manifest, patch: Body) -> bool:
    metadata = as_mapping(patch.get("metadata"))
    names = (patch.get("apiVersion"), patch.get("kind"), metadata.get("namespace", ""), metadata.get("name"))
    return names == (manifest.body["apiVersion"], manifest.kind, manifest.namespace, manifest.name)
