"""Which schema a kind has: the places where CustomResourceDefinitions are, nearest first, and their releases."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vsr_compiler.verify.schema import crd, store
from vsr_compiler.verify.schema.crd import Document, Version
from vsr_compiler.verify.stream import Budget

MAX_READ = 5_000_000
"""Values in all definitions that are read: the largest that are known have some 50,000."""
Releases = Mapping[str, str]
"""A release of each project, as a policy's profile has them."""


@dataclass(frozen=True, slots=True)
class Found:
    """What there is about a kind.

    Attributes:
        document: Where it is defined; None where it is not, or not clearly.
        others: Where else, if it is not clear which of them holds.
        wanted: The release that the policy asks for, where only another one is there.
    """

    document: Document | None = None
    others: tuple[Document, ...] = ()
    wanted: str = ""

    def versions(self, group: str, kind: str) -> Mapping[str, Version]:
        """The kind's versions."""
        return {} if self.document is None else self.document.versions[group, kind]


@dataclass(slots=True)
class Catalog:
    """The definitions in some places. A kind is taken from the first place that has it.

    Attributes:
        places: Files and folders.
        failed: What could not be read, with the reason.
    """

    places: tuple[tuple[Path, ...], ...]
    failed: list[tuple[Path, str]] = field(default_factory=list)
    _budget: Budget = field(default_factory=lambda: Budget(values=MAX_READ))
    _documents: list[list[Document]] | None = None
    _known: dict[tuple[str, str, frozenset[tuple[str, str]]], Found] = field(default_factory=dict)

    @classmethod
    def of(cls, given: Iterable[Path] = (), environment: Mapping[str, str] | None = None) -> Catalog:
        """What a person named, then ``VSR_CRDS``, then what was pulled."""
        env = os.environ if environment is None else environment
        named = tuple(Path(each) for each in env.get("VSR_CRDS", "").split(os.pathsep) if each)
        cache = store.folder(env)
        return cls(tuple(each for each in (tuple(given), named, (cache,) if cache.is_dir() else ()) if each))

    def find(self, group: str, kind: str, releases: Releases) -> Found:
        """The definition of a kind, of the release that is asked for where one is."""
        key = (group, kind, frozenset(releases.items()))
        if key not in self._known:
            self._known[key] = self._find(group, kind, releases)
        return self._known[key]

    def _find(self, group: str, kind: str, releases: Releases) -> Found:
        for place in self._read():
            # Reading one in full takes long, so that it is left to those that must be.
            found = [each for each in place if each.may_define(group, kind)]
            found = [each for each in found if all(each.keys) or self._defines(each, group, kind)]
            chosen = _chosen(found, releases) if found else Found()
            if chosen.others or (chosen.document is not None and self._defines(chosen.document, group, kind)):
                return chosen
        return Found()

    def _read(self) -> list[list[Document]]:
        if self._documents is None:
            self._documents = [
                [document for path in place for document in crd.scan(path, self._budget, self.failed)]
                for place in self.places
            ]
        return self._documents

    def _defines(self, document: Document, group: str, kind: str) -> bool:
        problem = crd.readable(document)
        if problem:
            if (document.file, problem) not in self.failed:
                self.failed.append((document.file, problem))
            return False
        return (group, kind) in document.versions


def _chosen(found: list[Document], releases: Releases) -> Found:
    wanted = [each for each in found if _release(each, releases) == each.release != ""]
    asked = sorted({f"{each.project} {_release(each, releases)}" for each in found if _release(each, releases)})
    left = wanted or found
    channels = {each.channel for each in left}
    if channels == {"standard", "experimental"} and len({(each.project, each.release) for each in left}) == 1:
        left = [each for each in left if each.channel == "standard"]
    if len({each.data.strip() for each in left}) > 1:
        return Found(others=tuple(left))
    return Found(left[0], wanted=asked[0] if asked and not wanted else "")


def _release(document: Document, releases: Releases) -> str:
    """The release that is asked for of a document's project; empty where none is."""
    for name, release in releases.items():
        if document.project == name or document.project.endswith(f"-{name}"):
            return release
    return ""
