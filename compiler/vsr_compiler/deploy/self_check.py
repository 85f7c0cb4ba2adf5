"""Our own objects against the schemas of their kinds, before they are written."""

from __future__ import annotations

from collections.abc import Iterable

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Object
from vsr_compiler.verify import schema
from vsr_compiler.verify.stream import of


def refused(policy: ir.Policy, objects: Iterable[Object], catalog: schema.Catalog) -> list[Diagnostic]:
    """What the schemas of the policy's releases refuse, at the policy's lines, each once."""
    found = schema.check([of(each.body, each.origin) for each in objects], catalog, lambda _: policy.versions)
    return list(dict.fromkeys(found))
