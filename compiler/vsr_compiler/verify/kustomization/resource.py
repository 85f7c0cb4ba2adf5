"""A resource of a build: a value and, in parallel, the places of its parts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from vsr_compiler.verify.kustomization.places import BuiltPlaces, In, Places
from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mapping, as_string

Pair = tuple[Any, Places]


class NotSupportedError(Exception):
    """The build needs something that is not in the subset. The message names it."""


class RemoteError(Exception):
    """The build needs something from elsewhere, which is never fetched. The message names it."""


class BuildError(Exception):
    """Kustomize itself refuses the build."""


@dataclass(slots=True, eq=False)
class Resource:
    """An object under construction.

    Attributes:
        value: The object.
        places: The places of its parts.
        file: The file of places that name none.
        names: Kind, namespace and name that it had before each change, its first ones included.
        hashed: Whether its name ends with a hash of its content.
        known_kind: The kind by which others refer to it: the first one, if a patch changes it.
    """

    value: Body
    places: Places
    file: str
    names: list[tuple[str, str]] = field(default_factory=list)
    hashed: bool = False
    known_kind: str = ""

    @property
    def group(self) -> str:
        """The API group."""
        return as_string(self.value.get("apiVersion")).rpartition("/")[0]

    @property
    def kind(self) -> str:
        """The kind."""
        return as_string(self.value.get("kind"))

    @property
    def name(self) -> str:
        """The present name."""
        return text_of(as_mapping(self.value.get("metadata")).get("name"))

    @property
    def namespace(self) -> str:
        """The present namespace; empty if none is written."""
        return text_of(as_mapping(self.value.get("metadata")).get("namespace"))

    @property
    def known_names(self) -> list[tuple[str, str]]:
        """Namespace and name, now and before."""
        return [*self.names, (self.namespace, self.name)]

    def copy(self) -> Resource:
        """Return a copy that can be changed."""
        value, places = copied((self.value, self.places))
        return Resource(value, places, self.file, list(self.names), self.hashed, self.known_kind)

    def rename(self, *, name: str | None = None, namespace: str | None = None) -> None:
        """Set name or namespace, and remember the ones before."""
        before = (self.namespace, self.name)
        if name is not None:
            put(self.pair, ("metadata", "name"), name)
        if namespace is not None:
            put(self.pair, ("metadata", "namespace"), namespace)
        if before not in self.names:
            self.names.append(before)

    @property
    def pair(self) -> Pair:
        """The value with its places."""
        return self.value, self.places

    def manifest(self, default_namespace: str) -> Manifest:
        """Return the finished object."""
        return Manifest(self.value, BuiltPlaces(self.places, self.file).span, default_namespace)


def text_of(value: object) -> str:
    """Return a scalar as it is written in YAML: for kustomize the name `0` is a text."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def opened(places: Places) -> Places:
    """Return places without the names of their file, so that parts can be added."""
    while isinstance(places, In):
        places = places.places
    return places


def copied(pair: Pair) -> Pair:
    """Return a copy of a value and of its places, whose leaves are shared."""
    value, places = pair
    if isinstance(places, In):
        value, inside = copied((value, places.places))
        return value, In(places.name, inside)
    if isinstance(value, dict) and isinstance(places, tuple):
        parts = {key: copied((item, places[1].get(key, (places, places))[1])) for key, item in value.items()}
        keys = {key: places[1].get(key, (places[0], None))[0] for key in value}
        return (
            {key: part for key, (part, _) in parts.items()},
            (places[0], {key: (keys[key], place) for key, (_, place) in parts.items()}),
        )
    if isinstance(value, list) and isinstance(places, tuple):
        pairs = [copied((item, place)) for item, place in zip(value, places[1], strict=True)]
        return [item for item, _ in pairs], (places[0], [place for _, place in pairs])
    if isinstance(value, dict | list):
        return copied(planted(value, places))
    return value, places


def planted(value: object, place: Places) -> Pair:
    """Return a value all of whose parts have one place."""
    event = place
    while isinstance(event, In | tuple):
        event = event.places if isinstance(event, In) else event[0]
    if isinstance(value, dict):
        parts = {key: planted(item, event) for key, item in value.items()}
        inner = (event, {key: (event, at) for key, (_, at) in parts.items()})
        return {key: part for key, (part, _) in parts.items()}, _within(place, inner)
    if isinstance(value, list):
        pairs = [planted(item, event) for item in value]
        return [item for item, _ in pairs], _within(place, (event, [at for _, at in pairs]))
    return value, _within(place, event)


def _within(place: Places, inner: Places) -> Places:
    """Return places in the file of another place."""
    return In(place.name, inner) if isinstance(place, In) else inner


def put(pair: Pair, path: Path, value: object, place: Places | None = None) -> None:
    """Set a value, and create the mappings above it. It has the place of what it replaces, or of its parent."""
    node, places = pair
    for step in path[:-1]:
        at = opened(places)
        if isinstance(node, dict) and not isinstance(node.get(str(step)), dict | list):
            node[str(step)] = {}
            at[1][step] = (at[0], (at[0], {}))
        try:
            node, places = node[step], at[1][step] if isinstance(node, list) else at[1][step][1]
        except (IndexError, KeyError, TypeError):
            raise BuildError(f"there is nothing at {'/'.join(map(str, path))}") from None
    at, last = opened(places), path[-1]
    if isinstance(node, list) and isinstance(last, int):
        node[last], at[1][last] = planted(value, at[1][last] if place is None else place)
        return
    if not isinstance(node, dict):
        raise BuildError(f"there is nothing at {'/'.join(map(str, path))}")
    before = at[1].get(last, (at[0], at[0]))
    node[last], new = planted(value, before[1] if place is None else place)
    at[1][last] = (before[0], new)
