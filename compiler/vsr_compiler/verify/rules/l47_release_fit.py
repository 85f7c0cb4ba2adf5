"""L47: releases of components that do not go together."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.releases.breakages import REQUIREMENTS, applies
from vsr_compiler.releases.components import COMPONENTS, title_of
from vsr_compiler.releases.data import PROJECTS, project
from vsr_compiler.releases.numbers import numbers
from vsr_compiler.verify.manifest import Manifest, Path
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.release_checks.found import installed, release_of
from vsr_compiler.verify.rules.rule import LinkRule

_CODE = "VSR647"


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    yield from _kubernetes(index)
    for item in REQUIREMENTS:
        release, other = release_of(index, item.component), release_of(index, item.needs)
        has, needed, least = numbers(release), numbers(other), numbers(item.at_least)
        place = _place(index, item.component)
        if has and needed and least and place and applies(item, has) and needed < least:
            names = title_of(item.component), title_of(item.needs)
            message = (
                f"{names[0]} {release.removeprefix('v')} needs {names[1]} {item.at_least} or later, not "
                f"{other.removeprefix('v')}: {item.reason}"
            )
            severity = Severity.ERROR if item.confirmed else Severity.WARNING
            hint = f"Upgrade {names[1]} first, or keep an earlier {names[0]}."
            yield Diagnostic(_CODE, message, place[0].span(*place[1]), hint, severity)


def _kubernetes(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Report components that need a later Kubernetes, by the tables of releases."""
    cluster = numbers(release_of(index, "kubernetes"))
    for name in PROJECTS if cluster else ():
        has = numbers(release_of(index, name)) if name in COMPONENTS else None
        same = [item for item in project(name).releases.values() if has and (numbers(item.name) or ())[:2] == has[:2]]
        least = same[-1].kubernetes if same else ""
        place = _place(index, name) if least else None
        if cluster and place and cluster < (numbers(least) or ()):
            message = (
                f"{title_of(name)} {release_of(index, name).removeprefix('v')} supports Kubernetes {least} or later, "
                f"not {release_of(index, 'kubernetes')}"
            )
            hint = "Upgrade the cluster first, or keep an earlier release."
            yield Diagnostic(_CODE, message, place[0].span(*place[1]), hint, Severity.WARNING)


def _place(index: ManifestIndex, component: str) -> tuple[Manifest, Path] | None:
    """Return what installs a component, else its first object; None if the objects have nothing to do with it."""
    for item in installed(index):
        if item.component == component:
            return item.source, item.path
    groups = COMPONENTS[component].groups
    return next(((manifest, ("apiVersion",)) for manifest in index.manifests if manifest.group in groups), None)


RULE = LinkRule(
    name="L47",
    code=_CODE,
    purpose="The release of each component fits the releases of those that it needs, such as Envoy Gateway 1.9 and the "
    "definitions of the Gateway API.",
    check=_check,
)
