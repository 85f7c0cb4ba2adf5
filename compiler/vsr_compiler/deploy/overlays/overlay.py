"""What an overlay holds: patches of what changed, deletions of what is gone, whole objects for what is new.

kustomize passes over a patch that hits nothing, and rewrites names in no custom resource; so nothing here relies on
either. Every patch names its object in full, and what kustomize will make of the overlay is worked out and compared
with what the environment is.
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
    """The files of an overlay by their path in its folder, its kustomization aside.

    Attributes:
        objects: Whole objects that only this environment has.
        patches: What a patch file holds: operations, or a deletion.
        patched: The object that a patch changes as it is afterwards, or the one that it deletes as it was.
        kustomization: The file that brings them together.
    """

    objects: Mapping[str, Object]
    patches: Mapping[str, Body | list[Operation]]
    patched: Mapping[str, Object]
    kustomization: Body


def overlay(base: Sequence[Object], wanted: Sequence[Object]) -> Overlay:
    """The difference between a base and an environment of the same target.

    Where most of the base would be deleted, the overlay does without it and holds every object itself.

    Raises:
        AssertionError: kustomize would not make the environment out of it. A fault of ours.
    """
    before = {item.identity: item for item in base}
    after = {item.identity: item for item in wanted}
    gone = before.keys() - after.keys()
    if 2 * len(gone) > len(before):
        files = {item.path: item for item in wanted}
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
    _check(built(base, result), after)
    return result


def built(base: Sequence[Object], result: Overlay) -> dict[str, Body]:
    """What kustomize makes of an overlay with this base: bodies by identity."""
    found = {item.identity: item.body for item in (*base, *result.objects.values())}
    for entry in result.kustomization.get("patches", []):
        patch = result.patches[entry["path"]]
        if isinstance(patch, dict):
            del found[identity_of(patch)]
            continue
        hits = [identity for identity, body in found.items() if selects(entry["target"], body)]
        assert len(hits) == 1, f"the patch {entry['path']} hits {len(hits)} objects"  # noqa: S101 - a fault of ours
        found[hits[0]] = apply(found[hits[0]], patch)
    return found


def identity_of(body: Mapping[str, Any]) -> str:
    """``apiVersion/kind/namespace/name`` of a body."""
    metadata = body["metadata"]
    return f"{body['apiVersion']}/{body['kind']}/{metadata.get('namespace', '')}/{metadata['name']}"


def _check(found: dict[str, Body], after: Mapping[str, Object]) -> None:
    assert found.keys() == after.keys(), "the overlay holds other objects than its environment"  # noqa: S101 - as above
    for identity, item in after.items():
        assert found[identity] == item.body, f"the overlay alters {identity}"  # noqa: S101 - as above


def _deletion(item: Object) -> Body:
    metadata = {"name": item.name} | ({"namespace": item.namespace} if item.namespace else {})
    return {MARK: "delete", "apiVersion": item.body["apiVersion"], "kind": item.kind, "metadata": metadata}


def _target(item: Object) -> Body:
    """The object in full. Names are patterns there, and a dot in a name means only itself."""
    group, _, version = str(item.body["apiVersion"]).rpartition("/")
    parts = {
        "group": group,
        "version": version,
        "kind": item.kind,
        "name": re.escape(item.name).replace("\\-", "-"),
        "namespace": re.escape(item.namespace).replace("\\-", "-"),
    }
    return {key: value for key, value in parts.items() if value}
