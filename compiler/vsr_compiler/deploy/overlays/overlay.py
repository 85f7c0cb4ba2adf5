"""The content of an overlay: patches of changed objects, deletions, and whole new objects.

kustomize ignores a patch that matches nothing and rewrites no names in custom resources, so overlays rely on neither.
Every patch names its object in full, and the result that kustomize will build is computed and compared with the
environment.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vsr_compiler.deploy.overlays.kustomization import BASE, kustomization
from vsr_compiler.manifests.jsonpatch import Operation, apply, diff
from vsr_compiler.manifests.objects import Body, Object
from vsr_compiler.manifests.patches import MARK, selects

PATCHES = "patches"


@dataclass(frozen=True, slots=True)
class Overlay:
    """The files of an overlay by their path in its folder, and its kustomization.

    Attributes:
        objects: Whole objects that only this environment has.
        patches: The content of patch files: operations, or a deletion.
        patched: The object after its patch, or the object that the patch deletes, by the path of the patch.
        kustomization: The content of `kustomization.yaml`.
    """

    objects: Mapping[str, Object]
    patches: Mapping[str, Body | list[Operation]]
    patched: Mapping[str, Object]
    kustomization: Body


def overlay(base: Sequence[Object], environment: Sequence[Object]) -> Overlay:
    """Return the difference between a base and an environment of the same target.

    If most of the base would be deleted, the overlay does not use the base and contains every object itself.

    Raises:
        AssertionError: kustomize would build something else than the environment. This is a bug.
    """
    before = {item.identity: item for item in base}
    after = {item.identity: item for item in environment}
    gone = before.keys() - after.keys()
    if 2 * len(gone) > len(before):
        files = {item.path: item for item in environment}
        return Overlay(files, {}, {}, kustomization(files))
    new = {item.path: item for identity, item in after.items() if identity not in before}
    patches: dict[str, Body | list[Operation]] = {}
    patched: dict[str, Object] = {}
    entries: dict[str, Body] = {}
    for identity, old in before.items():
        path = f"{PATCHES}/{old.path}"
        if identity in gone:
            patches[path], patched[path] = _deletion(old), old
            entries[path] = {"path": path}
        elif old.body != after[identity].body:
            patches[path], patched[path] = diff(old.body, after[identity].body), after[identity]
            entries[path] = {"path": path, "target": _target(old)}
    body = kustomization([f"../../{BASE}", *new], [entries[path] for path in sorted(entries)])
    result = Overlay(new, dict(sorted(patches.items())), patched, body)
    _check(apply_overlay(base, result), after)
    return result


def apply_overlay(base: Sequence[Object], result: Overlay) -> dict[str, Body]:
    """Return what kustomize builds from an overlay with this base: bodies by identity."""
    bodies = {item.identity: item.body for item in (*base, *result.objects.values())}
    for entry in result.kustomization.get("patches", []):
        patch = result.patches[entry["path"]]
        if isinstance(patch, dict):
            del bodies[identity_of(patch)]
            continue
        matches = [identity for identity, body in bodies.items() if selects(entry["target"], body)]
        assert len(matches) == 1, f"the patch {entry['path']} selects {len(matches)} objects"  # noqa: S101 - a bug
        bodies[matches[0]] = apply(bodies[matches[0]], patch)
    return bodies


def identity_of(body: Mapping[str, Any]) -> str:
    """Return ``apiVersion/kind/namespace/name`` of a body."""
    metadata = body["metadata"]
    return f"{body['apiVersion']}/{body['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"


def _check(bodies: dict[str, Body], after: Mapping[str, Object]) -> None:
    assert bodies.keys() == after.keys(), "the overlay has other objects than its environment"  # noqa: S101 - as above
    for identity, item in after.items():
        assert bodies[identity] == item.body, f"the overlay alters {identity}"  # noqa: S101 - as above


def _deletion(item: Object) -> Body:
    metadata = {"name": item.name} | ({"namespace": item.namespace} if item.namespace else {})
    return {MARK: "delete", "apiVersion": item.body["apiVersion"], "kind": item.kind, "metadata": metadata}


def _target(item: Object) -> Body:
    """Return the target of a patch: the object in full. Names are regular expressions there, so dots are escaped."""
    group, _, version = str(item.body["apiVersion"]).rpartition("/")
    parts = {
        "group": group,
        "version": version,
        "kind": item.kind,
        "name": re.escape(item.name).replace("\\-", "-"),
        "namespace": re.escape(item.namespace).replace("\\-", "-"),
    }
    return {key: value for key, value in parts.items() if value}
