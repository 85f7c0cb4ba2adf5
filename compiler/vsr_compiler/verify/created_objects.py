"""Objects that controllers create, which are in no manifest: by whom, under which names, and whether with pods."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import product

from vsr_compiler.verify.creators import ANY, CREATORS, QUIET_GROUPS, Creator
from vsr_compiler.verify.manifest import Manifest, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import ManifestIndex

_TARGET_NAMESPACES = (
    ("spec", "targetNamespace"),
    ("spec", "destination", "namespace"),
    ("spec", "template", "spec", "destination", "namespace"),
)


@dataclass(eq=False)
class CreatedObjects:
    """What controllers create for the objects of a check."""

    index: ManifestIndex

    def creator_of(self, kind: str, namespace: str, name: str, *, travels: bool = False) -> Manifest | None:
        """Return the object whose controller creates an object, or may create it; None if there is none.

        Args:
            kind: Kind of the object.
            namespace: Its namespace.
            name: Its name.
            travels: Whether the object belongs to the one that refers to it, so that a chart beside both of them
                contains it only if it has the name of the release or the chart.
        """
        owner = self._named(kind, namespace, name) or self._written(kind, namespace, name)
        if owner is not None:
            return owner
        for chart in [*self._charts.get(namespace, []), *self._charts.get(ANY, [])] if kind != "HelmRelease" else ():
            if not travels or any(word in name for word in _chart_names(chart)):
                return chart
        return None

    def _named(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return the object with whose name that of a created object begins."""
        for prefix in _prefixes(name):
            for place in (namespace, ANY):
                for owner, creator in self._by_name.get((place, prefix), ()):
                    if _creates(creator, kind) and any(_matches(item, prefix, name) for item in creator.names):
                        return owner
            for unknown in self._unknown.get((namespace, prefix), ()):
                return unknown
        return None

    def _written(self, kind: str, namespace: str, name: str) -> Manifest | None:
        """Return the object in a field of which the name is, or by whose pattern it is made."""
        for place in (namespace, ANY):
            if (place, kind, name) in self._by_field:
                return self._by_field[place, kind, name]
        for owner, creator in self._by_pattern.get(namespace, ()):
            pairs = product(creator.names, _bases(owner, creator))
            if _creates(creator, kind) and any(_matches(pattern, base, name) for pattern, base in pairs):
                return owner
        return None

    def makes_pods(self, namespace: str) -> Manifest | None:
        """Return an object whose controller creates pods in a namespace with labels that manifests do not tell."""
        charts = [*self._charts.get(namespace, []), *self._charts.get(ANY, [])]
        return self._with_pods.get(namespace) or (charts[0] if charts else None)

    @cached_property
    def _owners(self) -> list[tuple[Manifest, Creator]]:
        by_kind = {(creator.group, kind): creator for creator in CREATORS for kind in creator.kinds.split()}
        pairs = [(manifest, by_kind.get((manifest.group, manifest.kind))) for manifest in self.index.manifests]
        return [(manifest, creator) for manifest, creator in pairs if creator is not None]

    @cached_property
    def _by_name(self) -> dict[tuple[str, str], list[tuple[Manifest, Creator]]]:
        owners: dict[tuple[str, str], list[tuple[Manifest, Creator]]] = defaultdict(list)
        for owner, creator in self._owners:
            if any(pattern.startswith("{}") for pattern in creator.names):
                for base in _bases(owner, creator):
                    owners[_place(owner, creator), base].append((owner, creator))
        return owners

    @cached_property
    def _by_pattern(self) -> dict[str, list[tuple[Manifest, Creator]]]:
        """Owners whose names do not begin those of created objects: the first of each namespace, bounded."""
        owners: dict[str, list[tuple[Manifest, Creator]]] = defaultdict(list)
        for owner, creator in self._owners:
            by_pattern = creator.created != ANY and any(not pattern.startswith("{}") for pattern in creator.names)
            if by_pattern and len(owners[owner.namespace]) < _MOST_PATTERNS:
                owners[owner.namespace].append((owner, creator))
        return owners

    @cached_property
    def _by_field(self) -> dict[tuple[str, str, str], Manifest]:
        owners: dict[tuple[str, str, str], Manifest] = {}
        for owner, creator in self._owners:
            for path, kind in product(creator.fields, creator.created.split()):
                for value in _values(owner.body, path.split(".")):
                    owners.setdefault((_place(owner, creator), kind, value), owner)
        for owner in self.index.manifests:
            # Crossplane and its providers write the credentials of what they create into a Secret.
            secret = owner.at("spec", "writeConnectionSecretToRef")
            if "." in owner.group and isinstance(secret, dict):
                place = as_string(secret.get("namespace")) or owner.namespace
                owners.setdefault((place, "Secret", as_string(secret.get("name"))), owner)
        return owners

    @cached_property
    def _charts(self) -> dict[str, list[Manifest]]:
        """Objects that install charts, by the namespace into which they do, a bounded number of each."""
        owners: dict[str, list[Manifest]] = defaultdict(list)
        for owner, creator in self._owners:
            if creator.created == ANY and (owner.group != _ARGO or _chart_names(owner)[1:]):
                written = [as_string(owner.at(*path)) for path in _TARGET_NAMESPACES]
                own = "" if owner.group == _ARGO else owner.namespace
                target = next((name for name in written if name), own) or ANY
                target = ANY if "{" in target else target
                if len(owners[target]) < _MOST_PATTERNS:
                    owners[target].append(owner)
        return owners

    @cached_property
    def _with_pods(self) -> dict[str, Manifest]:
        owners: dict[str, Manifest] = {}
        for owner, creator in self._owners:
            if creator.pods and creator.created != ANY:
                owners.setdefault(owner.namespace, owner)
        for (namespace, _), unknown in self._unknown.items():
            owners.setdefault(namespace, unknown[0])
        return owners

    @cached_property
    def _unknown(self) -> dict[tuple[str, str], list[Manifest]]:
        """Objects of custom kinds that are not in the table: their controllers may create objects of their names."""
        known = {(creator.group, kind) for creator in CREATORS for kind in creator.kinds.split()}
        owners: dict[tuple[str, str], list[Manifest]] = defaultdict(list)
        for manifest in self.index.manifests:
            is_custom = "." in manifest.group and not manifest.group.endswith((".k8s.io", *QUIET_GROUPS))
            if is_custom and (manifest.group, manifest.kind) not in known and isinstance(manifest.spec, dict):
                owners[manifest.namespace, manifest.name].append(manifest)
        return owners


_MOST_PATTERNS = 64
_ARGO = "argoproj.io"


def _chart_names(owner: Manifest) -> list[str]:
    """Return the name of a release, and those of the charts that it installs: an Application may install a folder."""
    sources = [owner.at(*path, "source") for path in (("spec",), ("spec", "template", "spec"))]
    for path in (("spec",), ("spec", "template", "spec")):
        sources += as_mappings(owner.at(*path, "sources"))
    charts = [value_at(source, "chart") for source in sources]
    charts += [
        owner.at("spec", "chart"),
        owner.at("spec", "chart", "spec", "chart"),
        owner.at("spec", "chartRef", "name"),
    ]
    named = [as_string(chart).rpartition("/")[2] for chart in charts if as_string(chart)]
    return [owner.name, *named]


def created_objects(index: ManifestIndex) -> CreatedObjects:
    """Return what controllers create for the objects of an index."""
    return index.cached("created objects", lambda: CreatedObjects(index))


def _place(owner: Manifest, creator: Creator) -> str:
    return ANY if creator.anywhere else owner.namespace


def _bases(owner: Manifest, creator: Creator) -> list[str]:
    """Return what stands for `{}` in the patterns of names."""
    values = [value for path in creator.bases for value in _values(owner.body, path.split("."))]
    return list(dict.fromkeys([owner.name, *values]))


def _values(value: object, path: list[str]) -> Iterator[str]:
    """Return the texts at a path, in every item of its lists."""
    if not path:
        yield from [value] if isinstance(value, str) and value else []
    elif isinstance(value, dict):
        inner = value.get(path[0].removesuffix("[]"))
        items = inner if isinstance(inner, list) and path[0].endswith("[]") else [inner]
        for item in items:
            yield from _values(item, path[1:])


def _creates(creator: Creator, kind: str) -> bool:
    return creator.created == ANY or kind in creator.created.split()


def _matches(pattern: str, base: str, name: str) -> bool:
    return fnmatchcase(name, pattern.replace("{}", base.replace("[", "[[]"))) if pattern != ANY else True


def _prefixes(name: str) -> Iterator[str]:
    """Yield a name and its beginnings at each `-`, the longest first."""
    yield name
    parts = name.split("-")[:_MOST_PARTS]
    for count in range(len(parts) - 1, 0, -1):
        yield "-".join(parts[:count])


_MOST_PARTS = 32
