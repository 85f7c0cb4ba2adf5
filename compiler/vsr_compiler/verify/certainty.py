"""How certain it is that an object to which others refer is missing: an error, a warning, or only a note."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from vsr_compiler.diagnostics import Severity
from vsr_compiler.diagnostics.suggestions import edit_distance
from vsr_compiler.verify.completeness import (
    COMPARED,
    FAMILIES,
    folder_of,
    is_misspelt_unplaced,
    is_template,
    similar_names,
)
from vsr_compiler.verify.manifest import Identity
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.references import Reference, references

_PARENTS = 8
"""Folders around a file in which objects belong to it."""
_FEW = 2
"""How many objects of a file are found for each that lacks, if the file is complete."""
_ENDING = 2
"""Letters by which a name may be longer than another one that is misspelt, such as a plural."""
_SHORT = 6
"""Length under which two letters make another name."""


def severity(index: ManifestIndex, ref: Reference) -> Severity:
    """Return how certain it is that an object is missing.

    An error needs evidence that the object should be among the checked ones: the name is misspelt, the object is in
    another namespace of the folder, or the file of the source contains what it refers to otherwise. A script, another
    installation or a hand may have created anything else.
    """
    if ref.mild:
        return Severity.WARNING
    if index.assumptions.is_complete or _is_misspelt(index, ref) or _is_elsewhere(index, ref):
        return Severity.ERROR
    if is_misspelt_unplaced(index, ref):
        return Severity.WARNING
    family = (ref.kind,) if ref.travels else FAMILIES.get((ref.group, ref.kind), (ref.kind,))
    file = ref.source.span("kind").file
    beside = index.kinds_by_file.get(file, set())
    if any((ref.namespace, kind) in beside for kind in family):
        return Severity.ERROR if _is_closed(index, ref, file) else Severity.WARNING
    parts = folder_of(ref.source).split("/")
    folders = ["/".join(parts[:count]) for count in range(len(parts) + 1)][-_PARENTS:]
    family_beside = any((each, ref.namespace, kind) in _kinds_by_folder(index) for each in folders for kind in family)
    return Severity.WARNING if family_beside or len(index.kinds_by_file) == 1 else Severity.NOTE


def _is_elsewhere(index: ManifestIndex, ref: Reference) -> bool:
    """Whether the object is in another namespace or API group of the folder, as the manifests themselves say."""
    folder = folder_of(ref.source)
    is_placed = ref.source.writes_namespace or not ref.source.namespace
    return any(
        folder_of(other) == folder and (other.group != ref.group or (is_placed and other.writes_namespace))
        for other in index.named(ref.kind, ref.name)[:COMPARED]
    )


def _is_closed(index: ManifestIndex, ref: Reference, file: str) -> bool:
    """Whether the file of a reference contains what it refers to otherwise, or an object of the kind for nobody."""
    closure = _closure(index).get((file, ref.group, ref.kind, ref.namespace))
    return closure is not None and (closure.found >= _FEW * closure.lacking or closure.unused >= closure.lacking)


@dataclass(slots=True)
class _Closure:
    """What a file refers to, of one kind and namespace.

    Attributes:
        found: Number of objects that are in the file.
        lacking: Number of objects that are nowhere.
        unused: Number of objects in the file to which no reference leads.
    """

    found: int = 0
    lacking: int = 0
    unused: int = 0


def _closure(index: ManifestIndex) -> Mapping[tuple[str, str, str, str], _Closure]:
    """Return what each file refers to, by file, API group, kind and namespace."""

    def compute() -> dict[tuple[str, str, str, str], _Closure]:
        counts: dict[tuple[str, str, str, str], _Closure] = defaultdict(_Closure)
        used, seen = set[Identity](), set[tuple[str, Identity]]()
        for ref in references(index):
            file, identity = ref.source.span("kind").file, (ref.group, ref.kind, ref.namespace, ref.name)
            used.add(identity)
            if (file, identity) not in seen and not is_template(ref.name):
                seen.add((file, identity))
                target, count = index.by_identity.get(identity), counts[file, *identity[:3]]
                count.lacking += target is None
                count.found += target is not None and target.span("kind").file == file
        for identity, manifest in index.by_identity.items():
            counts[manifest.span("kind").file, *identity[:3]].unused += identity not in used
        return counts

    return index.cached("closure of files", compute)


def _is_misspelt(index: ManifestIndex, ref: Reference) -> bool:
    """Whether a name is nearly that of an object beside the source, or of one that writes its namespace."""
    folder = folder_of(ref.source)
    return any(
        other.namespace == ref.namespace and (folder_of(other) == folder or other.writes_namespace)
        for name in dict.fromkeys(similar_names(index, ref))
        if not _is_another(name, ref.name)
        for other in index.named(ref.kind, name)[:COMPARED]
    )


def _is_another(name: str, other: str) -> bool:
    """Whether two similar names are no misspelling: members of a series, or one with a further word, as `web-tls`."""
    shorter, longer = sorted((name, other), key=len)
    is_part = longer.startswith(shorter) or longer.endswith(shorter)
    if is_part and (len(longer) - len(shorter) > _ENDING or "-" in longer.replace(shorter, "", 1)):
        return True
    if len(longer) < _SHORT and edit_distance(name, other) > 1:
        return True
    parts = list(zip(name.split("-"), other.split("-"), strict=False))
    is_series = all(left == right or len(left) == len(right) == 1 for left, right in parts)
    return (is_series and name.count("-") == other.count("-")) or _without_digits(name) == _without_digits(other)


def _without_digits(name: str) -> str:
    return "".join(char for char in name if not char.isdigit())


def _kinds_by_folder(index: ManifestIndex) -> set[tuple[str, str, str]]:
    return index.cached(
        "kinds by folder",
        lambda: {
            (file.rpartition("/")[0], namespace, kind)
            for file, kinds in index.kinds_by_file.items()
            for namespace, kind in kinds
        },
    )
