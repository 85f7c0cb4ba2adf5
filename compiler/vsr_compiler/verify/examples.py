"""Examples in one repository that have nothing to do with each other, so that each is checked by itself.

Below a folder such as `examples`, folders are one example if objects of one refer to objects of the other, or select
their pods. What is outside of such folders belongs to every example.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from vsr_compiler.verify.manifest import Identity, Manifest, as_string_map
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.references import references
from vsr_compiler.verify.units import Unit

_WORDS = ("example", "sample", "guide", "demo", "tutorial", "recipe", "quickstart", "overlay", "environment")
"""Parts of the names of folders in which each file or folder is complete by itself."""
_INDEPENDENT = frozenset({"examples", "samples", "recipes", "tutorials", "demos", "guides"})
"""Names of folders whose folders are examples that need not have anything in common."""
_MOST_OBJECTS = 20_000
"""Objects that are checked at most, counted once for each example to which they belong."""


def are_examples(*files: Path) -> bool:
    """Whether files are below folders in which each file or folder is complete by itself."""
    names = {part.lower() for file in files for part in file.parent.parts[-4:]}
    return any(word in name for word in _WORDS for name in names)


def separated(units: list[Unit], root: Path) -> list[list[Unit]]:
    """Return units as sets: one for each example, with what belongs to every example; all of them if there is none.

    Args:
        units: The units.
        root: The folder that the user named. The names of those above it say nothing about what it contains.
    """
    folder_of = {id(unit): folder for unit in units if (folder := _example_folder(unit, root)) is not None}
    if len(set(folder_of.values())) < _FEWEST:
        return [units]
    groups = _connected(units, folder_of)
    members: dict[Path, list[Unit]] = defaultdict(list)
    common = [unit for unit in units if id(unit) not in folder_of]
    for unit in units:
        if id(unit) in folder_of:
            members[groups[folder_of[id(unit)]]].append(unit)
    shared = sum(len(unit.manifests) for unit in common)
    if len(members) == 1 or shared * len(members) > _MOST_OBJECTS:
        return [units]
    return [[*each, *common] for each in members.values()]


_FEWEST = 2


def _example_folder(unit: Unit, root: Path) -> Path | None:
    """Return the folder of a unit, if it is an example's."""
    folder = unit.path if unit.is_built else unit.path.parent
    try:
        parts = (root.resolve().name, *folder.relative_to(root).parts)
    except ValueError:
        return None
    inside = [number for number, part in enumerate(parts[:-1]) if part.lower() in _INDEPENDENT]
    return folder if inside else None


def _connected(units: list[Unit], folder_of: dict[int, Path]) -> dict[Path, Path]:
    """Return one folder of its set for each folder."""
    groups = {folder: folder for folder in folder_of.values()}

    def head(folder: Path) -> Path:
        while groups[folder] != folder:
            groups[folder] = groups[groups[folder]]
            folder = groups[folder]
        return folder

    for left, right in _relations(units, folder_of):
        groups[head(left)] = head(right)
    return {folder: head(folder) for folder in groups}


def _relations(units: list[Unit], folder_of: dict[int, Path]) -> Iterator[tuple[Path, Path]]:
    """Yield the pairs of folders of which one has an object to which the other refers, or whose pods it selects."""
    home = {id(manifest): folder_of[id(unit)] for unit in units if id(unit) in folder_of for manifest in unit.manifests}
    index = ManifestIndex([manifest for unit in units for manifest in unit.manifests])
    places: dict[Identity, set[Path]] = defaultdict(set)
    for manifest in index.manifests:
        if id(manifest) in home:
            places[manifest.identity].add(home[id(manifest)])

    def away(source: Manifest, targets: set[Path]) -> Iterator[tuple[Path, Path]]:
        here = home.get(id(source))
        # What several folders define, each has for itself.
        if here is not None and targets and here not in targets:
            yield here, min(targets)

    for ref in references(index):
        yield from away(ref.source, places.get((ref.group, ref.kind, ref.namespace, ref.name), set()))
    for service in index.of_kind("Service", ""):
        workloads = index.selected_workloads(service.namespace, as_string_map(service.spec.get("selector")))
        yield from away(service, {home[id(item.owner)] for item in workloads if id(item.owner) in home})
