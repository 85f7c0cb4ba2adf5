"""L01: duplicate objects."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.rules.rule import LinkRule


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    for manifest in index.manifests:
        first = index.by_identity[manifest.identity]
        span = first.span("metadata", "name")
        if manifest is not first and manifest.name and manifest.span("metadata", "name") != span:
            place = f"{span.file}:{span.line}" if span.line else span.file
            message = f"duplicate object: {manifest.title} is defined twice, and the last one applied wins"
            hint = f"Rename it, or keep only the one in {place}."
            yield Diagnostic("VSR401", message, manifest.span("metadata", "name"), hint, _severity(manifest, first))


def _severity(manifest: Manifest, first: Manifest) -> Severity:
    """Return how certain it is that both definitions are applied, and that they differ.

    Two files may be alternatives. A file that repeats an object unchanged, as a Namespace, applies the same twice.
    """
    together = manifest.span("kind").file == first.span("kind").file
    if manifest.body == first.body:
        return Severity.NOTE if manifest.kind == "Namespace" or not together else Severity.ERROR
    if together:
        return Severity.ERROR
    return Severity.WARNING if manifest.writes_namespace and first.writes_namespace else Severity.NOTE


RULE = LinkRule(
    name="L01",
    code="VSR401",
    purpose="No two objects have the same API group, kind, namespace and name. In two files, which may be "
    "alternatives, they are a warning, or a note if they are equal or write no namespace.",
    check=_check,
)
