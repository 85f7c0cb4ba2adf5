"""The objects that a change touches, as kustomize builds them, environment by environment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, TypeAlias

from vsr_compiler.manifests import jsonpatch
from vsr_compiler.review.compare import Comparison

Body: TypeAlias = Mapping[str, Any]
KUSTOMIZATION = "kustomization.yaml"
_BASE = "../../base"


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """An object of one environment that differs. A side is None if the environment does not have it there."""

    environment: str
    old: Body | None
    new: Body | None


@dataclass(frozen=True, slots=True)
class Environments:
    """The environments of both sides.

    Attributes:
        old: The target of each environment before. A policy without environments has one per target.
        new: The target of each environment now.
        changes: The objects that differ, of environments that exist on both sides.
    """

    old: Mapping[str, str]
    new: Mapping[str, str]
    changes: tuple[ObjectChange, ...]


def environment_changes(trees: Comparison) -> Environments:
    """Return the environments of both sides and the objects that differ between them.

    Only files that differ are parsed.
    """
    old, new = _places(trees, old=True), _places(trees, old=False)
    changes = [
        change for name in sorted(old.keys() & new.keys()) for change in _changes(trees, name, old[name], new[name])
    ]
    return Environments(
        {name: place.target for name, place in old.items()},
        {name: place.target for name, place in new.items()},
        tuple(changes),
    )


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the files of an environment are: `overlay` is empty for a base that is applied as it is."""

    target: str
    overlay: str
    uses_base: bool


def _places(trees: Comparison, *, old: bool) -> dict[str, _Place]:
    read = trees.old if old else trees.new
    overlays, bases = {}, {}
    for path in trees.paths(old=old):
        parts = path.split("/")
        if parts[1:2] == ["overlays"] and parts[3:] == [KUSTOMIZATION]:
            kustomization = read(path)
            resources = kustomization.get("resources") if isinstance(kustomization, dict) else None
            uses_base = isinstance(resources, list) and _BASE in resources
            overlays[parts[2]] = _Place(parts[0], f"{parts[0]}/overlays/{parts[2]}/", uses_base)
        elif parts[1:] == ["base", KUSTOMIZATION]:
            bases[parts[0]] = _Place(parts[0], "", uses_base=True)
    return overlays or bases


def _changes(trees: Comparison, name: str, old: _Place, new: _Place) -> Iterator[ObjectChange]:
    before, after = _files(trees, old, old=True), _files(trees, new, old=False)
    for rest in sorted(before.keys() | after.keys()):
        paths = before.get(rest, ()), after.get(rest, ())
        contents = [
            [trees.content(path, old=side) for path in own] for own, side in zip(paths, (True, False), strict=True)
        ]
        if contents[0] == contents[1]:
            continue
        bodies = _body(trees, paths[0], old=True), _body(trees, paths[1], old=False)
        if bodies[0] != bodies[1]:
            yield ObjectChange(name, *bodies)


def _files(trees: Comparison, place: _Place, *, old: bool) -> dict[str, tuple[str, ...]]:
    """Return the files of each object by its path below a base or overlay: the object, and the patch if it has one."""
    base, patches = f"{place.target}/base/", f"{place.overlay}patches/"
    files: dict[str, tuple[str, ...]] = {}
    found: dict[str, str] = {}
    for path in trees.paths(old=old):
        if path.endswith(f"/{KUSTOMIZATION}"):
            continue
        if place.uses_base and path.startswith(base):
            files.setdefault(path.removeprefix(base), (path,))
        elif place.overlay and path.startswith(patches):
            found[path.removeprefix(patches)] = path
        elif place.overlay and path.startswith(place.overlay):
            files[path.removeprefix(place.overlay)] = (path,)
    return {rest: (*own, found[rest]) if rest in found else own for rest, own in files.items()}


def environment_objects(trees: Comparison, name: str, *, old: bool = False, kind: str = "") -> Iterator[Body]:
    """Yield every object that an environment has.

    Args:
        trees: Both sides.
        name: The environment.
        old: Which side.
        kind: Only objects of this kind, by the names of their files; empty for all.
    """
    place = _places(trees, old=old).get(name)
    files = _files(trees, place, old=old) if place is not None else {}
    prefix = f"{kind.lower()}-" if kind else ""
    for rest, paths in files.items():
        if PurePosixPath(rest).name.startswith(prefix) and (body := _body(trees, paths, old=old)) is not None:
            yield body


def environment_bodies(trees: Comparison, *, old: bool) -> dict[str, list[tuple[str, Body]]]:
    """Return the objects of each environment of one side, each with its file. Every file is parsed."""
    bodies: dict[str, list[tuple[str, Body]]] = {}
    for name, place in _places(trees, old=old).items():
        files = _files(trees, place, old=old).values()
        read = ((paths[0], _body(trees, paths, old=old)) for paths in files if paths)
        bodies[name] = [(path, body) for path, body in read if body is not None]
    return bodies


def _patched(body: Any, patch: Any) -> Any:  # noqa: ANN401 - any JSON
    return jsonpatch.apply(body, patch) if isinstance(patch, list) else None


def _body(trees: Comparison, paths: tuple[str, ...], *, old: bool) -> Body | None:
    """Return the object with its patch; None if there is none, if it is deleted, or if the patch does not apply."""
    if not paths:
        return None
    body, *patches = (trees.old(path) if old else trees.new(path) for path in paths)
    for patch in patches:
        try:
            body = _patched(body, patch)
        except (jsonpatch.PatchError, KeyError, TypeError, AttributeError):
            return None
    return body if isinstance(body, dict) else None
