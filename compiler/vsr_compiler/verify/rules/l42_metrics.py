"""L42: queries of metrics that a release has renamed or removed."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.breakages import BREAKAGES, Breakage, applies
from vsr_compiler.releases.breakages.model import Metrics
from vsr_compiler.releases.components import title_of
from vsr_compiler.releases.numbers import numbers
from vsr_compiler.verify.manifest import Manifest, Path
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.release_checks.found import finding, release_of
from vsr_compiler.verify.release_checks.texts import texts
from vsr_compiler.verify.rules.rule import LinkRule

_CODE = "VSR642"
_SILENT = frozenset({"CustomResourceDefinition", "Secret"})
"""Kinds without queries. Others have them in many ways: rules, dashboards, autoscalers, analyses, values of charts."""
_ROWS = [(item, item.sign) for item in BREAKAGES if isinstance(item.sign, Metrics)]
_NAME = re.compile(
    "|".join(
        rf"(?<![\w:]){re.escape(word)}\w{{0,200}}"
        for word in sorted(
            {word for _, sign in _ROWS for word in (sign.prefix, *([sign.instead] if sign.renamed else []))},
            key=len,
            reverse=True,
        )
    )
)


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    releases = {name: release_of(index, name) for name in {item.component for item, _ in _ROWS}}
    if not any(releases.values()):
        return
    for manifest in index.manifests:
        if manifest.kind not in _SILENT:
            yield from _queries(manifest, releases)


def _queries(manifest: Manifest, releases: dict[str, str]) -> Iterator[Diagnostic]:
    reported: set[str] = set()
    for path, text in texts({key: manifest.body.get(key) for key in ("spec", "data")}, ()):
        names = set(_NAME.findall(text))
        for name in sorted(names - reported):
            found = next(_affected(name, names, releases), None)
            if found is not None:
                reported.add(name)
                yield _finding(manifest, path, name, found, releases[found.component])


def _affected(name: str, names: set[str], releases: dict[str, str]) -> Iterator[Breakage]:
    """Yield the change that concerns a name, unless the same query has the name of the other release as well."""
    rows = [(item, sign) for item, sign in _ROWS if name.startswith(sign.prefix)]
    longest = max((len(sign.prefix) for _, sign in rows), default=0)
    for item, sign in rows:
        release = numbers(releases[item.component])
        other = name.replace(sign.prefix, sign.instead, 1)
        if len(sign.prefix) == longest and release and applies(item, release) and other not in names:
            yield item
    for item, sign in _ROWS:
        release = numbers(releases[item.component])
        is_new = sign.renamed and name.startswith(sign.instead) and release and not applies(item, release)
        if is_new and name.replace(sign.instead, sign.prefix, 1) not in names:
            yield item


def _finding(manifest: Manifest, path: Path, name: str, item: Breakage, release: str) -> Diagnostic:
    sign = item.sign
    assert isinstance(sign, Metrics)  # noqa: S101 - of _ROWS
    if name.startswith(sign.prefix):
        new = name.replace(sign.prefix, sign.instead, 1)
        return finding(_CODE, item, release, f"`{name}`", manifest, path, f"`{new}`")
    old = name.replace(sign.instead, sign.prefix, 1)
    title = title_of(item.component)
    message = f"{manifest.title}: {title} {release.removeprefix('v')} has no `{name}`, which {item.since} introduces"
    return Diagnostic(_CODE, message, manifest.span(*path), f"Use `{old}`, or both names with `or`.")


RULE = LinkRule(
    name="L42",
    code=_CODE,
    purpose="Rules, dashboards, autoscalers and analyses query metrics by the names that the release of their project "
    "has. A query with the names of both releases is right for both.",
    check=_check,
)
