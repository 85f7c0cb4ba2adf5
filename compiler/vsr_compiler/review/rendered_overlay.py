"""Applies overlays: the base's objects with the patches of an environment, from the files of one side."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from vsr_compiler.manifests import jsonpatch
from vsr_compiler.review.compare import Comparison


def rendered_objects(trees: Comparison, prefix: str, *, old: bool) -> dict[tuple[str, str], dict[str, Any]]:
    """Return objects by ``namespace/name`` and environment, for any target.

    Args:
        trees: Both sides.
        prefix: The prefix of the objects' file names.
        old: Which side.
    """
    read = trees.old if old else trees.new
    paths = [path for path in trees.paths(old=old) if PurePosixPath(path).name.startswith(prefix)]
    objects: dict[tuple[str, str], dict[str, Any]] = {}
    for place in trees.paths(old=old):
        target, _, rest = place.partition("/overlays/")
        environment, _, file = rest.partition("/")
        if file != "kustomization.yaml":
            continue
        base, overlay = f"{target}/base/", f"{target}/overlays/{environment}/"
        kustomization = read(place)
        named = kustomization.get("resources") if isinstance(kustomization, dict) else None
        bodies = [
            _patched(read(path), read(f"{overlay}patches/{path.removeprefix(base)}"))
            for path in paths
            if path.startswith(base) and isinstance(named, list) and "../../base" in named
        ]
        bodies += [
            read(path) for path in paths if path.startswith(overlay) and not path.startswith(f"{overlay}patches/")
        ]
        objects |= {(_name(body), environment): body for body in bodies if isinstance(body, dict)}
    return objects


def _patched(body: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return the object as kustomize renders it; None if it is deleted or the patch does not apply."""
    if patch is None:
        return body
    try:
        return jsonpatch.apply(body, patch) if isinstance(patch, list) else None
    except (jsonpatch.PatchError, KeyError, TypeError, AttributeError):
        return None


def _name(body: dict[str, Any]) -> str:
    metadata = body.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return f"{metadata.get('namespace')}/{metadata.get('name')}"
