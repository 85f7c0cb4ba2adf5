"""Validation of generated objects against the schemas of their kinds."""

from __future__ import annotations

from collections.abc import Iterable

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Object
from vsr_compiler.verify import schema
from vsr_compiler.verify.stream import of


def schema_errors(policy: ir.Policy, objects: Iterable[Object], catalog: schema.Catalog) -> list[Diagnostic]:
    """Return what the schemas of the policy's releases reject, at the lines of the policy, each once."""
    diagnostics = schema.check([of(item.body, item.origin) for item in objects], catalog, lambda _: policy.versions)
    return list(dict.fromkeys(diagnostics))
