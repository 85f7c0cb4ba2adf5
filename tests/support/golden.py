"""Compact goldens: documents as differences from similar ones, in lines that can be read in a review.

A document is written as one line for each scalar, ``path: value``. A file of differences holds an entry for each
distinct document: where it occurs, which known document it resembles most, and the lines that differ. Known documents
are those of the reference policy, which is stored in full, and the earlier ones of the same file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Any

Lines = tuple[str, ...]
SHORT_RUN = 3
"""Longer runs of removed lines are written as one line."""
ADDED_WEIGHT = 4


@dataclass(frozen=True, slots=True)
class Known:
    """A document that others may be compared with.

    Attributes:
        kind: The Kubernetes kind, or the name of a file without one. Only equal kinds are compared.
        name: How an entry refers to the document.
        lines: The document, a line for each scalar.
        counted: The same lines without their order.
    """

    kind: str
    name: str
    lines: Lines
    counted: Counter[str] = field(repr=False)


def flat(value: Any, path: str = "", known: Mapping[str, str] | None = None) -> Iterator[str]:
    """Yield a line for each scalar of a document, with the keys of its mappings in order, as they are printed.

    A string of several lines yields one line for each of them. ``known`` names texts that are stored elsewhere: their
    names are written in their place.
    """
    if isinstance(value, dict) and value:
        for key, child in sorted(value.items()):
            yield from flat(child, f"{path}.{key}" if path else str(key), known)
    elif isinstance(value, (list, tuple)) and value:
        for index, child in enumerate(value):
            # A scalar bears no index: one item more changes no other line.
            place = index if isinstance(child, (dict, list, tuple)) and child else ""
            yield from flat(child, f"{path}[{place}]", known)
    elif isinstance(value, str) and known and value in known:
        yield f"{path}: <{known[value]}>"
    elif isinstance(value, str) and "\n" in value:
        yield f"{path}: text"
        yield from (f"  | {line}" for line in value.split("\n"))
    else:
        yield f"{path}: {json.dumps(value, ensure_ascii=False)}"


def kind_of(body: Any, path: str) -> str:
    """Return what a document is compared by: its kind, or the name of its file."""
    kind = body.get("kind") if isinstance(body, dict) else None
    return str(kind or path.rsplit("/", 1)[-1])


def name_of(body: Any, path: str) -> str:
    """Return the identity of an object, or the path of a file without one."""
    metadata = body.get("metadata") if isinstance(body, dict) else None
    if not metadata:
        return path
    place = f"{metadata['namespace']}/" if "namespace" in metadata else ""
    return f"{body['kind']} {place}{metadata['name']}"


class Catalogue:
    """The known documents, by kind, each text once."""

    def __init__(self) -> None:
        self._by_kind: dict[str, dict[Lines, Known]] = {}

    def add(self, kind: str, name: str, lines: Lines) -> None:
        """Add a document, unless an equal one is known."""
        self._by_kind.setdefault(kind, {}).setdefault(lines, Known(kind, name, lines, Counter(lines)))

    def copy(self) -> Catalogue:
        """Return a catalogue with the same documents that can grow by itself."""
        other = Catalogue()
        other._by_kind = {kind: dict(items) for kind, items in self._by_kind.items()}
        return other

    def nearest(self, kind: str, lines: Lines) -> Known | None:
        """Return the document of the kind that takes the fewest lines to tell apart; the first of equals."""
        counted = Counter(lines)
        items = self._by_kind.get(kind, {})
        if lines in items:
            return items[lines]
        return min(items.values(), key=lambda item: _distance(item.counted, counted), default=None)


def _distance(old: Counter[str], new: Counter[str]) -> int:
    """Return how far apart two documents are. What is added takes a line each, what is removed often shares one."""
    shared = (old & new).total()
    return ADDED_WEIGHT * (new.total() - shared) + (old.total() - shared)


def difference(old: Lines, new: Lines) -> list[str]:
    """Return the lines that differ: ``path: old => new`` where only the value does, else ``-`` and ``+`` lines."""
    result: list[str] = []
    for tag, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            continue
        removed, added = list(old[i:j]), list(new[k:m])
        while removed and added and _path(removed[0]) == _path(added[0]):
            result.append(f"{removed.pop(0)} => {_value(added.pop(0))}")
        result += _removed(removed) + [f"+ {line}" for line in added]
    return result


def _removed(lines: list[str]) -> list[str]:
    """Return a line for each removed one, or one for a longer run: the document that they are missing from has them."""
    if len(lines) < SHORT_RUN:
        return [f"- {line}" for line in lines]
    return [f"- {len(lines)} lines: {_path(lines[0])} to {_path(lines[-1])}"]


def _path(line: str) -> str:
    return line.partition(": ")[0]


def _value(line: str) -> str:
    return line.partition(": ")[2]


@dataclass(frozen=True, slots=True)
class Document:
    """A document and the place where it occurs, such as a target or a folder of the output."""

    place: str
    kind: str
    name: str
    lines: Lines


def described(documents: Iterable[Document], catalogue: Catalogue) -> str:
    """Return an entry for each distinct document, in the order of their names.

    Equal documents of one name share an entry that lists their places.
    """
    entries: dict[tuple[str, Lines], tuple[str, list[str]]] = {}
    for item in documents:
        entries.setdefault((item.name, item.lines), (item.kind, []))[1].append(item.place)
    known = catalogue.copy()
    text: list[str] = []
    for (name, lines), (kind, places) in sorted(entries.items(), key=lambda entry: entry[0][0]):
        near = known.nearest(kind, lines)
        changes = difference(near.lines, lines) if near else [f"+ {line}" for line in lines]
        like = f" = {near.name}" if near and not changes else f" ~ {near.name}" if near else ""
        text.append(f"{name} [{' '.join(places)}]{like}")
        text += [f"    {line}" for line in changes]
        known.add(kind, f"{name} of {places[0]}", lines)
    return "".join(f"{line}\n" for line in text)
