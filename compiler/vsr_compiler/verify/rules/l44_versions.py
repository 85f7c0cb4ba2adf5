"""L44: kinds, and versions of kinds, that a release of a project does not have any more."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.breakages.model import Versions
from vsr_compiler.releases.components import COMPONENTS
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.release_checks.found import breakages_of, finding
from vsr_compiler.verify.rules.rule import LinkRule

_CODE = "VSR644"


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for component in COMPONENTS:
        for item, sign, release in breakages_of(index, component, Versions):
            for kind, instead in sign.kinds.items():
                for manifest in index.of_kind(kind, sign.group):
                    if not sign.versions or manifest.version in sign.versions:
                        found = f"`{kind}` of `{manifest.body['apiVersion']}`"
                        yield finding(_CODE, item, release, found, manifest, ("apiVersion",), instead)


RULE = LinkRule(
    name="L44",
    code=_CODE,
    purpose="No object is of a kind or version that its project removed in the release that is asked for.",
    check=_check,
)
