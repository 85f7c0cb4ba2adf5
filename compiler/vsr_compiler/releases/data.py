"""Releases of other projects as data: one file for each project in `data/`, read on first use.

A file has one `[[series]]` for each group of releases that behave alike, and one line for each release, so that a new
patch release is one line. `facts` are the fields of a dataclass in this package, which says what they mean.
"""

from __future__ import annotations

import datetime as dt
import functools
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar, cast

from vsr_compiler.releases.numbers import Numbers, numbers

T = TypeVar("T")
FOLDER = Path(__file__).with_name("data")


@dataclass(frozen=True, slots=True)
class Release:
    """A release of a project.

    Attributes:
        name: Its name, such as `1.9.2`.
        source: Where its facts are from.
        date: The day on which it was published, if known.
        commit: Its commit, if known.
        end_of_life: The first day without fixes, if its project has announced one.
        kubernetes: The oldest release of Kubernetes that it supports; empty if its project does not say.
        confirmed: Whether its facts were read in its source. Otherwise they are those of the release before it, and
            what others say about it.
        definitions: The release whose CustomResourceDefinitions are used for it; empty for its own.
        sections: How it behaves, by subject: `facts` and others, each with the fields of a dataclass.
    """

    name: str
    source: str
    date: dt.date | None = None
    commit: str = ""
    end_of_life: dt.date | None = None
    kubernetes: str = ""
    confirmed: bool = True
    definitions: str = ""
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Range:
    """Affected releases: from `since`, and before `fixed`; without a fix if that is empty."""

    since: str
    fixed: str

    def __contains__(self, release: str) -> bool:
        """Whether a release is affected."""
        number: Numbers | None = numbers(release)
        first, end = numbers(self.since) or (), numbers(self.fixed)
        return number is not None and number >= first and (end is None or number < end)


@dataclass(frozen=True, slots=True)
class Advisory:
    """A known vulnerability of a project.

    Attributes:
        id: Its CVE, or another identifier.
        summary: What is possible, as a clause.
        concerns: What of the output makes it matter, as a key of `targets.advisories.USES`.
        affected: The affected releases.
        source: Where its project, or a database, describes it.
    """

    id: str
    summary: str
    concerns: str
    affected: tuple[Range, ...]
    source: str

    def affects(self, release: str) -> bool:
        """Whether a release is affected."""
        return any(release in item for item in self.affected)

    def fixes(self, releases: Iterable[str]) -> list[str]:
        """Return the known releases that are not affected and later than an affected one."""
        return [name for name in releases if not self.affects(name) and any(_after(name, one) for one in self.affected)]


def _after(release: str, affected: Range) -> bool:
    return (numbers(release) or ()) >= (numbers(affected.since) or ())


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose releases matter to the output.

    Attributes:
        name: The key in `gateway.versions`.
        title: Its name for people.
        repository: Where its source is.
        releases: Its known releases, oldest first.
        advisories: Its known vulnerabilities.
    """

    name: str
    title: str
    repository: str
    releases: Mapping[str, Release]
    advisories: tuple[Advisory, ...]


PROJECTS: tuple[str, ...] = tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))
"""The projects with a file."""


@functools.cache
def project(name: str) -> Project:
    """Return a project.

    Raises:
        KeyError: There is no file for it.
    """
    if name not in PROJECTS:
        raise KeyError(name)
    data = tomllib.loads((FOLDER / f"{name}.toml").read_text(encoding="utf-8"))
    releases = {item.name: item for series in data["series"] for item in _releases(series)}
    ordered = sorted(releases.values(), key=lambda item: numbers(item.name) or ())
    return Project(
        name,
        data["title"],
        data["repository"],
        MappingProxyType({item.name: item for item in ordered}),
        tuple(_advisory(item) for item in data.get("advisories", ())),
    )


def _releases(series: dict[str, Any]) -> Iterator[Release]:
    sections = MappingProxyType({key: value for key, value in series.items() if isinstance(value, dict)})
    common = {key: value for key, value in series.items() if key != "releases" and key not in sections}
    for line in series["releases"]:
        yield Release(**_renamed({**common, **line}), sections=sections)


def _advisory(item: dict[str, Any]) -> Advisory:
    affected = tuple(Range(line["since"], line.get("fixed", "")) for line in item["affected"])
    return Advisory(**{**item, "affected": affected})


def _renamed(item: Mapping[str, Any]) -> dict[str, Any]:
    return {key.replace("-", "_"): value for key, value in item.items()}


class Table(Mapping[str, T], Generic[T]):
    """How a project's releases behave, by their name. The file is read on first use."""

    def __init__(self, name: str, make: Callable[[Mapping[str, Any], str], T], section: str = "facts") -> None:
        """Store what describes a release.

        Args:
            name: The project.
            make: Makes the description of a release from a section and its name.
            section: The section of the file. Releases without it are left out.
        """
        self._name, self._make, self._section = name, make, section

    @functools.cached_property
    def _items(self) -> Mapping[str, T]:
        return {
            name: self._make(release.sections[self._section], name)
            for name, release in project(self._name).releases.items()
            if self._section in release.sections
        }

    def __getitem__(self, key: str) -> T:
        """Return the description of a release."""
        return self._items[key]

    def __iter__(self) -> Iterator[str]:
        """Yield the names, oldest first."""
        return iter(self._items)

    def __len__(self) -> int:
        """Return the number of releases."""
        return len(self._items)


def builder(kind: type[T]) -> Callable[[Mapping[str, Any], str], T]:
    """Return what makes a dataclass of a section; see `build`."""
    return lambda section, _: build(kind, section)


def build(kind: type[T], section: Mapping[str, Any]) -> T:
    """Return a dataclass. Lists become tuples or frozen sets, by the type of the field, and tables mappings.

    Raises:
        TypeError: A fact is unknown or missing.
    """
    types = {item.name: str(item.type) for item in fields(cast("Any", kind))}
    return kind(**{key: _frozen(value, types.get(key, "")) for key, value in _renamed(section).items()})


def _frozen(value: Any, wanted: str) -> Any:  # noqa: ANN401 - TOML of any form
    if isinstance(value, list):
        return tuple(value) if wanted.startswith("tuple") else frozenset(value) if "frozenset" in wanted else value
    if isinstance(value, dict):
        inner = wanted.partition(", ")[2]
        return MappingProxyType({key: _frozen(item, inner) for key, item in value.items()}) if inner else value
    return value
