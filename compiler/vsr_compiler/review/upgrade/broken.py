"""What objects and releases of different times do to each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.releases.installation import INSTALLATION
from vsr_compiler.verify import Assumptions, Manifest, check_links
from vsr_compiler.verify.schema import Catalog, check_schemas
from vsr_schemas.reports_upgrade import Finding

_RULES = frozenset(f"VSR{number}" for number in range(640, 648))
_SCHEMAS = frozenset({"VSR441", "VSR442", "VSR443", "VSR444", "VSR445", "VSR446", "VSR449"})
"""Codes about what an API server rejects or drops."""
Environments = Mapping[str, Sequence[Manifest]]
Releases = Mapping[str, Mapping[str, str]]
"""The release of each project by environment."""


def broken(environments: Environments, releases: Releases, base: Releases) -> list[Finding]:
    """Return what releases break in objects, and other releases do not, each once with its environments.

    Args:
        environments: The objects of each environment.
        releases: The releases that are asked about.
        base: The releases for which the objects were compiled.
    """
    catalog = Catalog.of(with_bundle=True)
    found: dict[Diagnostic, list[str]] = {}
    for name, objects in environments.items():
        manifests = list(objects)
        known = set(_findings(manifests, base[name], catalog))
        for item in _findings(manifests, _outside(releases[name], base[name]), catalog):
            if item not in known:
                found.setdefault(item, []).append(name)
    return [finding(item, names) for item, names in sorted(found.items(), key=lambda entry: _order(entry[0]))]


def _outside(releases: Mapping[str, str], own: Mapping[str, str]) -> Mapping[str, str]:
    """Return the releases with which objects meet: those of images are always the objects' own."""
    images = {name: own[name] for name in own if name in INSTALLATION and INSTALLATION[name].by == "objects"}
    return {**releases, **images}


def _order(item: Diagnostic) -> tuple[int, str, str]:
    return (-item.level, item.code, item.message)


def _findings(manifests: list[Manifest], releases: Mapping[str, str], catalog: Catalog) -> Iterable[Diagnostic]:
    given = {name: catalog.closest(name, release) for name, release in releases.items()}
    schema = check_schemas(manifests, catalog, lambda _file: given)
    links = check_links(manifests, Assumptions(releases=tuple(releases.items())))
    explained = {item.span for item in links if item.code in {"VSR643", "VSR644"}}
    yield from (item for item in links if item.code in _RULES)
    for item in schema:
        if item.code in _SCHEMAS and item.level is not Severity.NOTE and item.span not in explained:
            yield item


def finding(item: Diagnostic, environments: Iterable[str] = ()) -> Finding:
    """Return a diagnostic as a part of the report."""
    span = item.span
    place = f"{span.file}:{span.line}:{span.column}" if span.line else span.file
    return Finding(
        code=item.code,
        severity=_WORDS[item.level],
        place=place,
        message=item.message,
        remedy=item.hint,
        environments=sorted(environments),
    )


_WORDS: Mapping[Severity, str] = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
