"""Sets of objects that are applied together. Examples that define the same objects are alternatives, never one set.

A unit is what one file contains, or what one kustomization builds. Units that define an object twice are separated by
the folders in which they are. What no alternative defines belongs to every one of them.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.verify.assumptions import Assumptions
from vsr_compiler.verify.examples import are_examples, separated
from vsr_compiler.verify.limits import REMEDY
from vsr_compiler.verify.manifest import Identity, Manifest, as_string_map
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.units import Unit

MAX_WORLDS = 500
_OFTEN = 3
"""How many units define an object that is no duplicate by mistake, but one of several alternatives."""


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """Objects that are applied together.

    Attributes:
        units: What defines them.
        is_separate: Whether other worlds of the same run are alternatives to it.
    """

    units: list[Unit] = field(default_factory=list)
    is_separate: bool = False

    @property
    def manifests(self) -> list[Manifest]:
        """The objects."""
        return [manifest for unit in self.units for manifest in unit.manifests]


def worlds_of(
    units: list[Unit], diagnostics: list[Diagnostic], *, separate: bool = False, root: Path | None = None
) -> list[World]:
    """Return the units as sets that are applied together.

    Args:
        units: All units of an input.
        diagnostics: Receives an error if there are more sets than a run checks.
        separate: Whether each unit is a set of its own.
        root: The folder that contains them, whose examples are sets of their own.
    """
    if separate:
        return [World([unit], is_separate=len(units) > 1) for unit in units]
    sets = _split(units)
    if root is not None:
        sets = [example for each in sets for example in separated(each, root)]
    if len(sets) > MAX_WORLDS:
        message = f"more than {MAX_WORLDS} sets of objects that are alternatives: the rest is not checked"
        place = Span(str(sets[MAX_WORLDS][0].path))
        diagnostics.append(Diagnostic("VSR430", message, place, REMEDY))
        sets = sets[:MAX_WORLDS]
    return [World(each, is_separate=len(sets) > 1) for each in sets]


def _split(units: list[Unit], depth: int = 0) -> list[list[Unit]]:
    pairs = _alternatives(units)
    if not pairs:
        return [units]
    groups: dict[str, list[Unit]] = defaultdict(list)
    for unit in units:
        parts = unit.path.parts
        groups["/".join(parts[: depth + 1]) + ("" if len(parts) > depth else f"#{len(groups)}")].append(unit)
    if len(groups) == 1 and any(len(unit.path.parts) > depth for unit in units):
        return _split(units, depth + 1)
    group_of = {id(unit): name for name, members in groups.items() for unit in members}
    conflicting = {group_of[id(unit)] for pair in pairs for unit in pair}
    common = [unit for name, members in groups.items() if name not in conflicting for unit in members]
    sets = [
        [*inner, *common] for name, members in groups.items() if name in conflicting for inner in _split(members, depth)
    ]
    return sets[: MAX_WORLDS + 1]


def _alternatives(units: list[Unit]) -> list[tuple[Unit, Unit]]:
    """Return the pairs of units that define objects in common, so that they cannot be meant for one cluster."""
    definers: dict[Identity, list[Unit]] = defaultdict(list)
    for unit in units:
        for identity in {manifest.identity for manifest in unit.manifests if manifest.name}:
            if identity[1] != "Namespace":
                definers[identity].append(unit)
    shared: Counter[tuple[int, int]] = Counter()
    by_id = {id(unit): unit for unit in units}
    for same in definers.values():
        # Each unit is compared with the first ones only, so that work grows with the units.
        for left, right in combinations(same[:20], 2) if len(same) > 1 else ():
            shared[id(left), id(right)] += 1
        for right in same[20:]:
            shared[id(same[0]), id(right)] += 1
    often = {id(unit) for same in definers.values() if len({each.path for each in same}) >= _OFTEN for unit in same}
    return [
        (by_id[left], by_id[right])
        for (left, right), count in shared.items()
        if count > 1 or _are_alternatives(by_id[left], by_id[right]) or {left, right} <= often
    ]


def _are_alternatives(left: Unit, right: Unit) -> bool:
    """Whether two units with one object in common are alternatives, and the object is no duplicate by mistake."""
    if left.is_built and right.is_built:
        return True
    return are_examples(left.path, right.path)


def check_worlds(
    worlds: list[World],
    assumptions: Assumptions,
    check: Callable[[list[Manifest], Assumptions], list[Diagnostic]],
) -> list[Diagnostic]:
    """Return the findings of each world. What another world defines exists elsewhere.

    A finding in a unit that several worlds share counts only if each of these worlds has it.
    """
    if len(worlds) == 1:
        return check(worlds[0].manifests, assumptions)
    everything = {manifest.identity: manifest for world in worlds for manifest in world.manifests}
    pods = _pods(worlds)
    times: Counter[Diagnostic] = Counter()
    for world in worlds:
        known = assumptions
        if world.is_separate:
            own = {manifest.identity for manifest in world.manifests}
            others = everything.keys() - own
            elsewhere = frozenset((kind, namespace, name) for _, kind, namespace, name in others)
            unplaced = frozenset((key[1], key[3]) for key in others if not everything[key].writes_namespace)
            known = assumptions | Assumptions(elsewhere, pods, unplaced=unplaced)
        times.update(dict.fromkeys(check(world.manifests, known), 1))
    shared = _shared_files(worlds)
    return [item for item, count in times.items() if count >= shared.get(item.span.file, 1)]


def _shared_files(worlds: list[World]) -> dict[str, int]:
    """Return in how many worlds each file is that only one unit contains."""
    times = Counter(id(unit) for world in worlds for unit in world.units)
    units_of: dict[str, set[int]] = defaultdict(set)
    for unit in {id(unit): unit for world in worlds for unit in world.units}.values():
        for file in {str(unit.path), *(manifest.span("kind").file for manifest in unit.manifests)}:
            units_of[file].add(id(unit))
    return {file: times[next(iter(units))] for file, units in units_of.items() if len(units) == 1}


def _pods(worlds: Iterable[World]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Return the labels of all pods."""
    index = ManifestIndex(list({id(item): item for world in worlds for item in world.manifests}.values()))
    return tuple(
        dict.fromkeys(
            (workload.owner.namespace, tuple(sorted(as_string_map(workload.labels).items())))
            for workload in index.workloads
        )
    )
