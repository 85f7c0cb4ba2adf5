"""The release of each component: as the caller gives it, or as the objects tell it without doubt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.releases.breakages import BREAKAGES, Breakage, applies
from vsr_compiler.releases.components import COMPONENTS, title_of
from vsr_compiler.releases.numbers import numbers
from vsr_compiler.verify.manifest import Body, Manifest, Path, as_mapping, as_string, value_at
from vsr_compiler.verify.manifest_index import ManifestIndex, cached_per_index

_IMAGE = re.compile(r"(?P<name>[^\s:@]{1,500}(?::\d{1,5}/[^\s:@]{1,500})?):(?P<tag>[^\s:@/]{1,128})(?:@\S{1,100})?")
_CHART = re.compile(r"(?P<name>[a-z][a-z0-9-]{0,60}?)-(?P<version>v?\d+\.\d+\S{0,60})")
_Sign = TypeVar("_Sign")


@dataclass(frozen=True, slots=True, eq=False)
class Installed:
    """A release that an object tells.

    Attributes:
        component: The project.
        release: The release.
        source: The object.
        path: The place in it.
    """

    component: str
    release: str
    source: Manifest
    path: Path


def image_release(image: str, pattern: str) -> str:
    """Return the tag of an image whose name matches a pattern; empty for other images, and without a tag."""
    match = _IMAGE.fullmatch(image)
    return match["tag"] if match and re.search(pattern, match["name"]) and numbers(match["tag"]) else ""


@cached_per_index
def installed(index: ManifestIndex) -> Iterator[Installed]:
    """Yield the releases that images, charts, labels and definitions tell."""
    for name, component in COMPONENTS.items():
        for owner, path, image in _images(index) if component.image else ():
            if tag := image_release(image, component.image):
                yield Installed(name, tag, owner, path)
        for owner, path, chart, version in _charts(index) if component.charts else ():
            if chart in component.charts and numbers(version):
                yield Installed(name, version, owner, path)
        for definition in index.of_kind("CustomResourceDefinition") if component.annotation else ():
            version = as_string(as_mapping(definition.at("metadata", "annotations")).get(component.annotation))
            if numbers(version):
                yield Installed(name, version, definition, ("metadata", "annotations", component.annotation))


@cached_per_index
def _images(index: ManifestIndex) -> Iterator[tuple[Manifest, Path, str]]:
    for workload in index.workloads:
        for path, container in workload.containers(init=True):
            yield workload.owner, (*path, "image"), as_string(container.get("image"))


@cached_per_index
def _charts(index: ManifestIndex) -> Iterator[tuple[Manifest, Path, str, str]]:
    """Yield charts with their versions: of Flux, of Argo CD, and in the labels of what Helm has rendered."""
    for owner in index.of_kind("HelmRelease"):
        path: Path = ("spec", "chart", "spec")
        yield owner, (*path, "version"), *_chart(value_at(owner.body, *path), "version")
    for owner in index.of_kind("Application", "argoproj.io"):
        for path in (("spec", "source"), *(path for path, _ in owner.entries("spec", "sources"))):
            yield owner, (*path, "targetRevision"), *_chart(value_at(owner.body, *path), "targetRevision")
    for owner in index.of_kind("OCIRepository"):
        url = as_string(value_at(owner.body, "spec", "url")).rpartition("/")[2]
        yield owner, ("spec", "ref", "tag"), url, as_string(value_at(owner.body, "spec", "ref", "tag"))
    for owner in index.of_kind("Deployment"):
        path = ("metadata", "labels", "helm.sh/chart")
        if match := _CHART.fullmatch(as_string(value_at(owner.body, *path))):
            yield owner, path, match["name"], match["version"]


def _chart(source: Body, version: str) -> tuple[str, str]:
    body = as_mapping(source)
    return as_string(body.get("chart")).rpartition("/")[2], as_string(body.get(version))


@cached_per_index
def _certain(index: ManifestIndex) -> Iterator[tuple[str, Installed]]:
    by_component: dict[str, list[Installed]] = {}
    for item in installed(index):
        by_component.setdefault(item.component, []).append(item)
    for name, items in by_component.items():
        if len({numbers(item.release) for item in items}) == 1:
            yield name, items[0]


def release_of(index: ManifestIndex, component: str, own: str = "") -> str:
    """Return the release of a component; empty if it is unknown.

    Args:
        index: The objects.
        component: The project.
        own: The release that an object names for itself, as by the tag of an image. Only a given release precedes it.
    """
    given = dict(index.assumptions.releases).get(component, "")
    if given or own:
        return given or own
    certain = dict(_certain(index)).get(component)
    return certain.release if certain else ""


def breakages_of(
    index: ManifestIndex, component: str, sign: type[_Sign], own: str = ""
) -> Iterator[tuple[Breakage, _Sign, str]]:
    """Yield the breakages of the release that a component has, with their sign and the release.

    Args:
        index: The objects.
        component: The project.
        sign: How the breakages show.
        own: The release that an object names for itself.
    """
    release = release_of(index, component, own)
    parsed = numbers(release)
    for item in BREAKAGES if parsed else ():
        if parsed and item.component == component and isinstance(item.sign, sign) and applies(item, parsed):
            yield item, item.sign, release


def finding(
    code: str,
    item: Breakage,
    release: str,
    found: str,
    source: Manifest,
    path: Path,
    instead: str = "",
    severity: Severity | None = None,
) -> Diagnostic:
    """Return the diagnostic for a breakage that an object shows."""
    title = title_of(item.component)
    what = item.what.replace("{found}", found)
    message = f"{source.title}: with {title} {release.removeprefix('v')}, {what} (since {item.since})"
    hint = item.remedy.replace("{instead}", instead)
    return Diagnostic(
        code, message, source.span(*path), hint, Severity[item.severity.upper()] if severity is None else severity
    )
