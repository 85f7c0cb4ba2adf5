"""Patches of a kustomization: strategic merges, and JSON patches (RFC 6902)."""

from __future__ import annotations

from vsr_compiler.verify.kustomization.places import In, Places
from vsr_compiler.verify.kustomization.resource import BuildError, NotSupportedError, Pair, copied, opened
from vsr_compiler.verify.manifest import Body

_MERGE_KEYS: dict[str, tuple[str, ...]] = {
    "containers": ("name",),
    "initContainers": ("name",),
    "ephemeralContainers": ("name",),
    "volumes": ("name",),
    "env": ("name",),
    "volumeMounts": ("mountPath",),
    "volumeDevices": ("devicePath",),
    "imagePullSecrets": ("name",),
    "hostAliases": ("ip",),
    "topologySpreadConstraints": ("topologyKey", "whenUnsatisfiable"),
    "resourceClaims": ("name",),
    "secrets": ("name",),
    "webhooks": ("name",),
}
"""Lists of Kubernetes' own kinds whose items are merged by a key (`x-kubernetes-patch-merge-key`)."""
_PORTS = {"Service": ("port", "protocol")}
_BUILT_IN = frozenset({"", "apps", "batch", "autoscaling", "policy", "admissionregistration.k8s.io"})
_DIRECTIVE = "$patch"


def strategic(target: Pair, patch: Pair, kind: str, group: str) -> Pair | None:
    """Return a mapping after a strategic merge; None if the patch deletes it.

    Args:
        target: The mapping, which is changed.
        patch: The patch, with its places in its file.
        kind: The kind of the object.
        group: Its API group, since lists of custom resources are replaced.
    """
    (value, places), (change, change_places) = target, patch
    if isinstance(change_places, In):
        return _strategic(target, (change, change_places.places), kind, group, change_places.name)
    return _strategic((value, places), (change, change_places), kind, group, "")


def _strategic(target: Pair, patch: Pair, kind: str, group: str, file: str) -> Pair | None:
    (value, places), (change, change_places) = target, patch
    match change.get(_DIRECTIVE):
        case "delete":
            return None
        case "replace":
            rest = {key: item for key, item in change.items() if key != _DIRECTIVE}
            return copied((rest, _in(file, change_places)))
        case None | "merge":
            pass
        case other:
            raise NotSupportedError(f"the directive $patch: {other}")
    at, change_at = opened(places), opened(change_places)
    for key, item in change.items():
        if key == _DIRECTIVE:
            continue
        if key.startswith("$"):
            raise NotSupportedError(f"the directive {key.partition('/')[0]}")
        key_place, inner = change_at[1][key]
        if item is None:
            value.pop(key, None)
            at[1].pop(key, None)
            continue
        old = (value.get(key), at[1][key][1]) if key in value else None
        merged = _merged(old, (item, inner), key, kind, group, file)
        if merged is None:
            value.pop(key, None)
            at[1].pop(key, None)
        else:
            value[key] = merged[0]
            at[1][key] = (at[1][key][0] if key in at[1] else _in(file, key_place), merged[1])
    return value, places


def _merged(old: Pair | None, new: Pair, key: str, kind: str, group: str, file: str) -> Pair | None:
    item, inner = new
    if isinstance(item, dict) and old is not None and isinstance(old[0], dict):
        return _strategic(old, new, kind, group, file)
    if isinstance(item, dict):
        empty: Pair = ({}, (opened(inner)[0], {}))
        merged = _strategic((empty[0], empty[1]), new, kind, group, file)
        return None if merged is None else (merged[0], _in(file, merged[1]))
    keys = _keys(key, kind) if group in _BUILT_IN else ()
    if isinstance(item, list) and keys and all(isinstance(each, dict) for each in item):
        return _lists(old if old is not None and isinstance(old[0], list) else None, new, keys, kind, group, file)
    return copied((item, _in(file, inner)))


def _keys(key: str, kind: str) -> tuple[str, ...]:
    return _PORTS.get(kind, ("containerPort", "protocol")) if key == "ports" else _MERGE_KEYS.get(key, ())


def _lists(old: Pair | None, new: Pair, keys: tuple[str, ...], kind: str, group: str, file: str) -> Pair:
    """Merge lists by key: first the items of the patch, then the others, as kustomize prints them."""
    items, places = ([], (opened(new[1])[0], [])) if old is None else old
    at = opened(places)
    rest = list(zip(items, at[1], strict=True))
    if {_DIRECTIVE: "replace"} in new[0]:
        rest = []
    first: list[Pair] = []
    for item, inner in zip(new[0], opened(new[1])[1], strict=True):
        if item == {_DIRECTIVE: "replace"}:
            continue
        index = next((n for n, (each, _) in enumerate(rest) if isinstance(each, dict) and _same(each, item, keys)), -1)
        known = rest.pop(index) if index >= 0 else None
        if known is not None:
            merged = _strategic(known, (item, inner), kind, group, file)
            first += [merged] if merged is not None else []
        elif item.get(_DIRECTIVE) != "delete":
            first.append(copied((item, _in(file, inner))))
    items[:] = [item for item, _ in [*first, *rest]]
    at[1][:] = [place for _, place in [*first, *rest]]
    return items, places


def _same(left: Body, right: Body, keys: tuple[str, ...]) -> bool:
    first, *others = keys
    defaults = {"protocol": "TCP"}
    return left.get(first) == right.get(first) and all(
        left.get(key, defaults.get(key)) == right.get(key, defaults.get(key)) for key in others
    )


def _in(file: str, places: Places) -> Places:
    return In(file, places) if file and not isinstance(places, In) else places


def json_patch(target: Pair, operations: Pair) -> None:
    """Apply a JSON patch in place.

    Raises:
        BuildError: A path does not exist, or a test fails.
    """
    file = operations[1].name if isinstance(operations[1], In) else ""
    for operation, inner in zip(operations[0], opened(operations[1])[1], strict=True):
        if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
            raise BuildError("an operation of a JSON patch needs `op` and `path`")
        _operate(target, operation, inner, file)


def _operate(target: Pair, operation: Body, operation_places: Places, file: str) -> None:
    path, kind = operation["path"], operation.get("op")
    if not path.startswith("/"):
        raise BuildError(f"the path `{path}` does not start with `/`")
    *above, last = (step.replace("~1", "/").replace("~0", "~") for step in path[1:].split("/"))
    node, places = target
    # kustomize itself writes annotations, so that a patch always finds them.
    if kind in {"add", "replace"} and above == ["metadata", "annotations"]:
        _make_annotations(target, _in(file, (opened(operation_places)[0], {})))
    for step in above:
        node, places = _child(node, places, step, path)
    if kind == "test":
        if _child(node, places, last, path)[0] != operation.get("value"):
            raise BuildError(f"the test of a JSON patch fails at {path}")
        return
    if kind not in {"add", "replace", "remove"}:
        raise NotSupportedError(f"the operation {kind} of a JSON patch")
    value_places = opened(operation_places)[1].get("value", (None, opened(operation_places)[0]))[1]
    new = copied((operation.get("value"), _in(file, value_places)))
    at = opened(places)
    # A replacement of a missing field adds it, as in kustomize 5.
    if kind in {"add", "replace"} and isinstance(node, dict):
        node[last], at[1][last] = new[0], (at[1].get(last, (_in(file, value_places), None))[0], new[1])
    elif kind == "add" and isinstance(node, list) and (last == "-" or _index(last, len(node) + 1)):
        number = len(node) if last == "-" else int(last)
        node.insert(number, new[0])
        at[1].insert(number, new[1])
    else:
        _child(node, places, last, path)
        where: str | int = int(last) if isinstance(node, list) else last
        if kind == "remove":
            del node[where], at[1][where]
        else:
            node[where] = new[0]
            at[1][where] = new[1] if isinstance(node, list) else (at[1][where][0], new[1])


def _make_annotations(target: Pair, place: Places) -> None:
    metadata, places = _child(*target, "metadata", "/metadata")
    if isinstance(metadata, dict) and metadata.get("annotations") is None:
        value, value_place = copied(({}, place))
        metadata["annotations"], opened(places)[1]["annotations"] = value, (place, value_place)


def _index(step: str, length: int) -> bool:
    return step.isdecimal() and len(step) < len("1000000000") and int(step) < length


def _child(node: object, places: Places, step: str, path: str) -> Pair:
    at = opened(places)
    if isinstance(node, dict) and step in node:
        return node[step], at[1][step][1]
    if isinstance(node, list) and _index(step, len(node)):
        return node[int(step)], at[1][int(step)]
    raise BuildError(f"the path `{path}` of a JSON patch does not exist")
