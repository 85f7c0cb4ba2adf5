"""L01: no two objects are the same one."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.manifest_index import World


def rule(world: World) -> Iterator[Diagnostic]:
    """Each object is there once: of two with one API group, kind, namespace and name the last applied silently wins."""
    for each in world.manifests:
        first = world.by_identity[each.identity]
        if each is not first and each.name:
            span = first.span("metadata", "name")
            where = f"{span.file}:{span.line}" if span.line else span.file
            message = f"{each.title} is there twice, and the last one applied wins"
            hint = f"Rename it, or keep only the one in {where}."
            yield Diagnostic("VSR401", message, each.span("metadata", "name"), hint)
