"""Compares two objects field by field. List items are matched by their keys, not by position."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from vsr_schemas.reports_diff import FieldChange

KEYS: dict[str, tuple[tuple[str, ...], ...]] = {
    "": (("path",),),  # a whole file that is a list: a JSON patch, whose operations are identified by their paths
    "backendRefs": (("group", "kind", "namespace", "name", "port"),),
    "backend_refs": (("name",),),
    "bindings": (("name",),),
    "clusters": (("name",),),
    "conditions": (("type", "name"), ("type",)),
    "configPatches": (("applyTo",),),
    "containers": (("name",),),
    "decisions": (("name",),),
    "demo": (("model", "prompt"),),
    "destinations": (("server", "namespace"),),
    "domains": (("name",),),
    "env": (("name",),),
    "filters": (("name",), ("type",)),
    "from": (("group", "kind", "namespace"),),
    "generators": (),
    "headers": (("name",),),
    "http_filters": (("name",),),
    "initContainers": (("name",),),
    "keywords": (("name",),),
    "listeners": (("name",),),
    "loras": (("name",),),
    "matches": (),
    "modelCards": (("name",),),
    "modelRefs": (("model",),),
    "models": (("name",),),
    "mutations": (("remove",), ("append",)),
    "parentRefs": (("group", "kind", "namespace", "name", "sectionName"),),
    "patches": (("path",),),
    "plugins": (("name",), ("type",)),
    "ports": (("containerPort", "protocol"), ("port", "protocol")),
    "rules": (("name",),),
    "subjects": (("kind", "namespace", "name"),),
    "targetRefs": (("group", "kind", "name"),),
    "to": (("group", "kind", "name"),),
    "volumeMounts": (("mountPath",),),
    "volumes": (("name",),),
    "namespaceResourceWhitelist": (("group", "kind"),),
    "clusterResourceWhitelist": (("group", "kind", "name"),),
    "complexity": (("name",),),
    "context": (("name",),),
    "conversation": (("name",),),
    "embeddings": (("name",),),
    "jailbreak": (("name",),),
    "language": (("name",),),
    "pii": (("name",),),
    "structure": (("name",),),
}
"""Keys that identify the items of a list, by the name of the list. The first unique one that all items have is used.

Source: the CRDs' ``x-kubernetes-list-map-keys`` and Kubernetes' merge keys; for lists without them, what is unique in
them. A list that is missing here, or whose items lack the keys, is compared by position.
"""


def changes(old: Any, new: Any, path: str = "", name: str = "") -> Iterator[FieldChange]:  # noqa: ANN401 - any JSON
    """Yield the fields that differ, in the order of their paths.

    Args:
        old: The old value.
        new: The new value.
        path: Their path, for the report.
        name: The last key of the path, which identifies the list in ``KEYS``.
    """
    if type(old) is type(new) and old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys(), key=str):
            where = _join(path, str(key))
            if key not in new:
                yield FieldChange(path=where, change="removed", old=old[key])
            elif key not in old:
                yield FieldChange(path=where, change="added", new=new[key])
            else:
                yield from changes(old[key], new[key], where, str(key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(old, new, path, name)
    else:
        yield FieldChange(path=path or ".", change="changed", old=old, new=new)


def _items(old: list[Any], new: list[Any], path: str, name: str) -> Iterator[FieldChange]:
    keys = next((keys for keys in KEYS.get(name, ()) if _are_unique(old, keys) and _are_unique(new, keys)), None)
    if keys is not None:
        before, after = _by(old, keys), _by(new, keys)
        if list(before) != list(after) and before.keys() == after.keys():
            yield FieldChange(path=f"{path} (order)", change="changed", old=list(before), new=list(after))
        for key in [*before, *(key for key in after if key not in before)]:
            where = f"{path}[{key}]"
            if key not in after:
                yield FieldChange(path=where, change="removed", old=before[key])
            elif key not in before:
                yield FieldChange(path=where, change="added", new=after[key])
            else:
                yield from changes(before[key], after[key], where)
    elif all(isinstance(item, str | int | float) for item in (*old, *new)):
        yield from _scalars(old, new, path)
    else:
        for index in range(max(len(old), len(new))):
            where = f"{path}[{index}]"
            if index >= len(new):
                yield FieldChange(path=where, change="removed", old=old[index])
            elif index >= len(old):
                yield FieldChange(path=where, change="added", new=new[index])
            else:
                yield from changes(old[index], new[index], where)


def _scalars(old: list[Any], new: list[Any], path: str) -> Iterator[FieldChange]:
    """Compare lists of scalars: added and removed values, or else a changed order."""
    removed, added = Counter(old) - Counter(new), Counter(new) - Counter(old)
    if not removed and not added:
        yield FieldChange(path=f"{path} (order)", change="changed", old=old, new=new)
    for value in removed.elements():
        yield FieldChange(path=f"{path}[]", change="removed", old=value)
    for value in added.elements():
        yield FieldChange(path=f"{path}[]", change="added", new=value)


def _are_unique(items: list[Any], keys: tuple[str, ...]) -> bool:
    labels = [_label(item, keys) for item in items if isinstance(item, dict) and any(key in item for key in keys)]
    return len(labels) == len(items) == len(set(labels))


def _by(items: list[Any], keys: tuple[str, ...]) -> dict[str, Any]:
    return {_label(item, keys): item for item in items}


def _label(item: dict[str, Any], keys: tuple[str, ...]) -> str:
    """Return the non-empty keys of an item as text, without its API group."""
    return ",".join(f"{key}={item[key]}" for key in keys if item.get(key) not in (None, "") and key != "group")


def _join(path: str, key: str) -> str:
    plain = key.replace("_", "").replace("-", "").isalnum()
    part = key if plain else f'["{key}"]'
    return f"{path}.{part}" if path and plain else f"{path}{part}"
