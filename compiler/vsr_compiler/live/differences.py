"""Fields in which an object in a cluster differs from the output, and who set them.

With a dry run, the API server itself says what an apply would make of the object, so its defaults and what its webhooks
add count as equal. Without the permission for a dry run, the fields of the output are compared one by one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from vsr_compiler.live.conditions import short
from vsr_compiler.verify.manifest import as_mapping, as_mappings, as_string

Path = tuple[str | int, ...]
MAX_DIFFERENCES = 20
MAX_DEPTH = 60
MAX_STEPS = 200_000
MAX_MANAGERS = 200
_LONGEST = 120
_HIDDEN = "(not shown)"
_SERVER_METADATA = frozenset(
    {"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid", "deletionTimestamp"}
)
"""Metadata that the API server writes."""
_TRACKING = frozenset(
    {
        "argocd.argoproj.io/installation-id",
        "argocd.argoproj.io/tracking-id",
        "app.kubernetes.io/instance",
        "kustomize.toolkit.fluxcd.io/name",
        "kustomize.toolkit.fluxcd.io/namespace",
        "kubectl.kubernetes.io/last-applied-configuration",
    }
)
"""Labels and annotations that Argo CD, Flux and kubectl add to what they apply; the output has none of them.

Sources: Argo CD 3.5.1, `common/common.go` and `docs/user-guide/resource_tracking.md`; Flux, `ssa/manager.go`.
"""
_APPLIERS = ("argocd-controller", "kustomize-controller", "helm-controller", "kubectl", "vsr-compile")
"""Field managers that apply objects on the server's side.

Sources: Argo CD 3.5.1, `common/common.go` (`ArgoCDSSAManager`); kustomize-controller 1.9.4 and helm-controller 1.6.3,
`main.go` (`controllerName`); kubectl, `pkg/cmd/apply` (`fieldManagerServerSideApply`).
"""
_SUFFIXES: Mapping[str, Decimal] = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{name: Decimal(1000) ** power for power, name in enumerate(("k", "M", "G", "T", "P", "E"), start=1)},
    **{name: Decimal(1024) ** power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), start=1)},
}
_MISSING = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """A field. ``manager`` is who set it in the cluster, if that is known; ``scaled`` if by the scale subresource."""

    field: str
    expected: str
    actual: str
    manager: str = ""
    scaled: bool = False


def applier(live: Mapping[str, Any]) -> str:
    """Return the field manager that applied an object; empty if none did on the server's side."""
    names = {
        as_string(entry.get("manager"))
        for entry in as_mappings(as_mapping(live.get("metadata")).get("managedFields"))[:MAX_MANAGERS]
        if entry.get("operation") == "Apply" and not entry.get("subresource")
    }
    return next((name for name in _APPLIERS if name in names), "")


def of_dry_run(live: Mapping[str, Any], applied: Mapping[str, Any]) -> list[Difference]:
    """Return how an apply would change an object."""
    return _reported(live, _compared(_plain(applied), _plain(live), exact=True))


def of_fields(live: Mapping[str, Any], body: Mapping[str, Any]) -> list[Difference]:
    """Return the fields of the output that the object in the cluster has not."""
    return _reported(live, _compared(_plain(body), _plain(live), exact=False))


def _plain(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object without its status and without the metadata of the API server."""
    metadata = {key: value for key, value in as_mapping(body.get("metadata")).items() if key not in _SERVER_METADATA}
    for name in ("labels", "annotations"):
        metadata[name] = {key: text for key, text in as_mapping(metadata.get(name)).items() if key not in _TRACKING}
    return {key: value for key, value in body.items() if key != "status"} | {"metadata": metadata}


def _reported(live: Mapping[str, Any], found: Iterator[tuple[Path, Any, Any]]) -> list[Difference]:
    secret = live.get("kind") == "Secret"
    entries = as_mappings(as_mapping(live.get("metadata")).get("managedFields"))[:MAX_MANAGERS]
    result = []
    for path, expected, actual in found:
        owner, scaled = _owner(entries, live, path)
        hidden = secret and path[:1] in {("data",), ("stringData",)}
        shown = (_HIDDEN, _HIDDEN) if hidden else (_text(expected), _text(actual))
        result.append(Difference(_field(path), *shown, owner, scaled))
        if len(result) == MAX_DIFFERENCES:
            break
    return result


def _compared(expected: Any, actual: Any, *, exact: bool) -> Iterator[tuple[Path, Any, Any]]:  # noqa: ANN401 - JSON
    """Yield the paths at which two values differ. If not exact, what only the second one has is no difference."""
    stack: list[tuple[Path, Any, Any]] = [((), expected, actual)]
    for _ in range(MAX_STEPS):
        if not stack:
            return
        path, one, other = stack.pop()
        if isinstance(one, dict) and isinstance(other, dict) and len(path) < MAX_DEPTH:
            keys = sorted(one.keys() | other.keys() if exact else one.keys(), reverse=True)
            stack += [((*path, key), one.get(key, _MISSING), other.get(key, _MISSING)) for key in keys]
        elif isinstance(one, list) and isinstance(other, list) and len(path) < MAX_DEPTH:
            stack += reversed(list(_items(path, one, other, exact=exact)))
        elif not _equal(one, other, exact=exact):
            yield path, one, other
    yield (), "an object that can be compared", "too many fields"


def _items(path: Path, one: list[Any], other: list[Any], *, exact: bool) -> Iterator[tuple[Path, Any, Any]]:
    """Yield the items of two lists in pairs: by their names if all have one, otherwise by their places."""
    named = [{item["name"]: item for item in items if _named(item)} for items in (one, other)]
    if one and len(named[0]) == len(one) and len(named[1]) == len(other):
        place = {name: number for number, name in enumerate(named[1])}
        last = len(other)
        for number, (name, item) in enumerate(named[0].items()):
            yield (*path, place.get(name, last + number)), item, named[1].get(name, _MISSING)
        for name in named[1].keys() - named[0].keys() if exact else ():
            yield (*path, place[name]), _MISSING, named[1][name]
        return
    for number in range(max(len(one), len(other))):
        item = one[number] if number < len(one) else _MISSING
        yield (*path, number), item, other[number] if number < len(other) else _MISSING


def _named(item: object) -> bool:
    return isinstance(item, dict) and isinstance(item.get("name"), str)


def _equal(one: object, other: object, *, exact: bool) -> bool:
    if one is other or (type(one) is type(other) and one == other):
        return True
    if exact:
        return False
    if other is _MISSING:
        # The API server leaves empty values out.
        return one is None or one in ({}, [], "", False, 0)
    quantities = _quantity(one), _quantity(other)
    return None not in quantities and quantities[0] == quantities[1]


def _quantity(value: object) -> Decimal | None:
    """Return a Kubernetes quantity as a number; None for any other value. The API server may write it another way."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)) or len(str(value)) > len("9" * 30):
        return None
    text = str(value)
    digits = text.rstrip("mkMGTPEi")
    try:
        number = Decimal(digits) if digits else None
    except InvalidOperation:
        return None
    factor = _SUFFIXES.get(text[len(digits) :])
    return None if number is None or factor is None or not number.is_finite() else number * factor


def _text(value: object) -> str:
    if value is _MISSING:
        return "absent"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return short(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")


def _field(path: Path) -> str:
    words = ""
    for step in path:
        if isinstance(step, int):
            words += f"[{step}]"
        elif all(letter.isalnum() or letter in "-_" for letter in step):
            words += f".{step}"
        else:
            words += f"[{json.dumps(step, ensure_ascii=False)}]"
    return short(words.removeprefix("."))


def _owner(entries: list[dict[str, Any]], live: Mapping[str, Any], path: Path) -> tuple[str, bool]:
    """Return the manager that set a field last, and whether it did by the scale subresource."""
    best = (0, "", "", False)
    for entry in entries:
        depth = _depth(entry.get("fieldsV1"), live, path)
        known = (
            depth,
            as_string(entry.get("time")),
            short(as_string(entry.get("manager"))),
            entry.get("subresource") == "scale",
        )
        best = max(best, known)
    return (best[2], best[3]) if best[0] == len(path) else ("", False)


def _depth(fields: object, live: Mapping[str, Any], path: Path) -> int:
    """Return how many steps of a path a set of fields has. An entry without fields below it owns the whole value."""
    node, value = fields, dict(live)
    current: Any = value
    for number, step in enumerate(path):
        if not isinstance(node, dict):
            return 0
        if number and not {key for key in node if key != "."}:
            return len(path)
        child: Any = None
        if isinstance(step, str):
            child = node.get(f"f:{step}")
            current = current.get(step) if isinstance(current, dict) else None
        elif isinstance(current, list) and 0 <= step < len(current):
            current = current[step]
            child = next((node[key] for key in node if _selects(key, current)), None)
        if child is None:
            return 0
        node = child
    return len(path)


def _selects(key: str, item: object) -> bool:
    """Return whether a key of a set of fields is that of an item of a list: `k:{"name":"x"}` or `v:"x"`."""
    form, _, text = key.partition(":")
    if form not in {"k", "v"} or len(text) > 4 * _LONGEST:
        return False
    try:
        value = json.loads(text)
    except ValueError:
        return False
    if form == "v":
        return bool(value == item)
    return isinstance(value, dict) and isinstance(item, dict) and all(item.get(name) == value[name] for name in value)
