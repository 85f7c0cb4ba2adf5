"""L01: duplicate objects."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.rules.rule import LinkRule


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for manifest in index.manifests:
        first = index.by_identity[manifest.identity]
        if manifest is not first and manifest.name:
            span = first.span("metadata", "name")
            place = f"{span.file}:{span.line}" if span.line else span.file
            message = f"duplicate object: {manifest.title} is defined twice, and the last one applied wins"
            hint = f"Rename it, or keep only the one in {place}."
            yield Diagnostic("VSR401", message, manifest.span("metadata", "name"), hint)


RULE = LinkRule(
    name="L01",
    code="VSR401",
    purpose="No two objects have the same API group, kind, namespace and name.",
    check=_check,
)
