"""Find the CustomResourceDefinition of a kind: by place, in order of precedence, and by release."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from vsr_compiler.cache.folder import cache_folder as user_cache
from vsr_compiler.releases.definitions import definitions_of
from vsr_compiler.releases.numbers import numbers
from vsr_compiler.verify.schema import bundled, crd
from vsr_compiler.verify.schema.crd import Document, Version
from vsr_compiler.verify.stream import Budget

MAX_READ = 5_000_000
"""Limit of values in all definitions that are read; the largest known definitions have about 50,000."""
Releases = Mapping[str, str]
"""Required release by project."""


@dataclass(frozen=True, slots=True)
class Definition:
    """The definition of a kind.

    Attributes:
        document: The document that defines it; None if there is none, or more than one that differ.
        alternatives: The documents that differ, if it is unclear which one applies.
        required_release: Project and release that are required, if only another release is available.
        removed_in: Project and release that are required and do not have the kind, if other releases have it.
        experimental: The document of the experimental channel, if ``document`` is of the standard one.
        earlier: The documents of earlier releases, newest first, if no release is required: the cluster may have one.
    """

    document: Document | None = None
    alternatives: tuple[Document, ...] = ()
    required_release: str = ""
    removed_in: str = ""
    experimental: Document | None = None
    earlier: tuple[Document, ...] = ()

    def versions(self, group: str, kind: str) -> Mapping[str, Version]:
        """Return the versions of the kind by name."""
        return {} if self.document is None else self.document.versions[group, kind]


@dataclass(slots=True)
class Catalog:
    """The CustomResourceDefinitions in some places. A kind is taken from the first place that defines it.

    Attributes:
        places: Files and folders.
        unreadable: Files that could not be read, with the reason.
        input_documents: Definitions among the objects that are checked; they take precedence over every place.
        with_bundle: Whether definitions that come with the package are used after every place.
    """

    places: tuple[tuple[Path, ...], ...]
    unreadable: list[tuple[Path, str]] = field(default_factory=list)
    input_documents: tuple[Document, ...] = ()
    with_bundle: bool = False
    _budget: Budget = field(default_factory=lambda: Budget(values=MAX_READ))
    _documents: list[list[Document]] | None = None
    _definitions: dict[tuple[str, str, frozenset[tuple[str, str]]], Definition] = field(default_factory=dict)

    @classmethod
    def of(
        cls, folders: Iterable[Path] = (), environment: Mapping[str, str] | None = None, *, with_bundle: bool = False
    ) -> Catalog:
        """Return the catalog of the given folders, then ``VSR_CRDS``, the cache of ``crds pull``, and the bundle."""
        variables = os.environ if environment is None else environment
        from_variable = tuple(
            Path(document) for document in variables.get("VSR_CRDS", "").split(os.pathsep) if document
        )
        cached = cache_folder(variables)
        places = (tuple(folders), from_variable, (cached,) if cached.is_dir() else ())
        return cls(tuple(place for place in places if place), with_bundle=with_bundle)

    def find(self, group: str, kind: str, releases: Releases) -> Definition:
        """Return the definition of a kind, of the required release if there is one."""
        key = (group, kind, frozenset(releases.items()))
        if key not in self._definitions:
            self._definitions[key] = self._find(group, kind, releases)
        return self._definitions[key]

    def closest(self, project: str, release: str) -> str:
        """Return a release of a project that is at hand: the given one, else the newest of the same minor release."""
        parsed = numbers(release)
        known = {
            document.release
            for place in self._read_places()
            for document in place
            if document.project == project or document.project.endswith(f"-{project}")
        }
        same = [item for item in known if parsed and (numbers(item) or ())[:2] == parsed[:2]]
        return release if release in known or not same else max(same, key=lambda item: numbers(item) or ())

    def _find(self, group: str, kind: str, releases: Releases) -> Definition:
        for number, place in enumerate(self._read_places()):
            # Parsing is slow, so only documents that may define the kind are parsed.
            candidates = [document for document in place if document.may_define(group, kind)]
            documents = [item for item in candidates if all(item.keys) or self._defines(item, group, kind)]
            if number and (removed := _removed_in(documents, place, releases)):
                return Definition(removed_in=removed)
            every, documents = documents, _of_one_release(documents, releases)
            # An input is applied as it is, whatever release is required.
            definition = _choose(documents, releases if number else {}) if documents else Definition()
            document = definition.document
            if definition.alternatives or (document is not None and self._defines(document, group, kind)):
                earlier = [item for item in _earlier(every, documents, releases) if self._defines(item, group, kind)]
                return replace(definition, earlier=tuple(earlier))
        return Definition()

    def _read_places(self) -> list[list[Document]]:
        if self._documents is None:
            self._documents = [
                list(self.input_documents),
                *[
                    [
                        document
                        for path in place
                        for document in crd.scan(path, self._budget, self.unreadable, bundled.parsed)
                    ]
                    for place in self.places
                ],
                *([list(bundled.documents())] if self.with_bundle else []),
            ]
        return self._documents

    def _defines(self, document: Document, group: str, kind: str) -> bool:
        problem = crd.read_error(document)
        if problem:
            if (document.file, problem) not in self.unreadable:
                self.unreadable.append((document.file, problem))
            return False
        return (group, kind) in document.versions


def _of_one_release(documents: list[Document], releases: Releases) -> list[Document]:
    """Return the documents; of bundled ones those of the required release, else those of the newest."""
    if not documents or not all(isinstance(document, bundled.BundledDocument) for document in documents):
        return documents
    required = [item for item in documents if item.release == _required_release(item, releases)]
    return required or bundled.newest(documents)


def _earlier(every: list[Document], chosen: list[Document], releases: Releases) -> list[Document]:
    """Return a document for each of the two minor releases before the chosen one, of the larger channel."""
    if len(every) == len(chosen) or any(_required_release(item, releases) for item in chosen):
        return []
    newest = numbers(chosen[0].release) or ()
    by_minor: dict[tuple[int, ...], Document] = {}
    for item in sorted(every, key=lambda item: (numbers(item.release) or (), item.channel == "experimental")):
        minor = (numbers(item.release) or ())[:2]
        if minor < newest[:2]:
            by_minor[minor] = item
    return [by_minor[minor] for minor in sorted(by_minor, reverse=True)[:_EARLIER]]


_EARLIER = 2


def _removed_in(documents: list[Document], place: list[Document], releases: Releases) -> str:
    """Return the required release that no longer has a kind, which other releases define; empty if there is none."""
    required = [(document.project, _required_release(document, releases)) for document in documents]
    known = {(document.project, document.release) for document in place}
    having = {(document.project, document.release) for document in documents}
    if not required or not all(key[1] and key in known and key not in having for key in required):
        return ""
    return " ".join(required[0])


def _choose(documents: list[Document], releases: Releases) -> Definition:
    required = {id(document): _required_release(document, releases) for document in documents}
    matching = [
        document for document in documents if document.release != "" and required[id(document)] == document.release
    ]
    missing = sorted(f"{document.project} {required[id(document)]}" for document in documents if required[id(document)])
    candidates = matching or documents
    channels = {document.channel for document in candidates}
    experimental = None
    if channels == {"standard", "experimental"}:
        releases_of_candidates = {(document.project, document.release) for document in candidates}
        if len(releases_of_candidates) == 1:
            experimental = next(document for document in candidates if document.channel == "experimental")
            candidates = [document for document in candidates if document.channel == "standard"]
    if len({document.data.strip() for document in candidates}) > 1:
        return Definition(alternatives=tuple(candidates))
    return Definition(
        candidates[0], required_release=missing[0] if missing and not matching else "", experimental=experimental
    )


def _required_release(document: Document, releases: Releases) -> str:
    """Return the required release of a document's project; empty if none is required."""
    for name, release in releases.items():
        if document.project == name or document.project.endswith(f"-{name}"):
            return definitions_of(name, release)
    return ""


def cache_folder(environment: Mapping[str, str]) -> Path:
    """Return the folder of downloaded definitions in the user's cache."""
    return user_cache(environment) / "crds"
