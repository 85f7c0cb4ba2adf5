"""L46: objects for which a release behaves in another way."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.releases.breakages.model import Together
from vsr_compiler.releases.components import COMPONENTS
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.release_checks.found import breakages_of, finding
from vsr_compiler.verify.release_checks.together import CONCERNS
from vsr_compiler.verify.rules.rule import LinkRule

_CODE = "VSR646"


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for component in COMPONENTS:
        for item, sign, release in breakages_of(index, component, Together):
            for found in CONCERNS[sign.behaviour](index):
                yield finding(_CODE, item, release, found.found, found.source, found.path, severity=found.severity)


RULE = LinkRule(
    name="L46",
    code=_CODE,
    purpose="Objects mean the same with the release that is asked for: extensions that it disables, routes without "
    "backends, policies that contradict each other, patches by names that it changes, definitions that its admission "
    "policy refuses.",
    check=_check,
)
