"""Check generated objects against the schemas of their kinds, before they are written."""

from __future__ import annotations

from collections.abc import Iterable

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Object
from vsr_compiler.verify import Manifest, schema


def schema_errors(policy: ir.Policy, objects: Iterable[Object], catalog: schema.Catalog) -> list[Diagnostic]:
    """Return what the schemas of the policy's releases reject, at the policy's lines, each once."""
    manifests = [Manifest.generated(item.body, item.origin) for item in objects]
    return list(dict.fromkeys(schema.check_schemas(manifests, catalog, lambda _: policy.versions)))
