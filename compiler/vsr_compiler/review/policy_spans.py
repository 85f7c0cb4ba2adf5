"""Maps diagnostics about output to the lines of the policy that produced it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.pipeline import Compiled
from vsr_compiler.verify import Manifest


def map_to_policy(
    diagnostics: Iterable[Diagnostic], manifests: Iterable[Manifest], compiled: Compiled
) -> list[Diagnostic]:
    """Return the diagnostics with spans in the policy where possible; the original position goes to the hint.

    Args:
        diagnostics: Diagnostics about manifests.
        manifests: Those manifests.
        compiled: A fresh compile of the policy.
    """
    origins = {
        (item.kind, item.namespace, item.name): item.origin
        for item in (
            *compiled.objects.values(),
            *compiled.patched.values(),
            *(item for objects in compiled.environments.values() for item in objects),
        )
    }
    begins: dict[str, list[tuple[int, Span | None]]] = {}
    for manifest in manifests:
        start = manifest.span()
        begins.setdefault(start.file, []).append(
            (start.line, origins.get((manifest.kind, manifest.namespace, manifest.name)))
        )
    for places in begins.values():
        places.sort(key=lambda place: place[0])
    return [_moved(diagnostic, begins.get(diagnostic.span.file, [])) for diagnostic in diagnostics]


def _moved(diagnostic: Diagnostic, places: list[tuple[int, Span | None]]) -> Diagnostic:
    number = bisect_right([line for line, _ in places], diagnostic.span.line)
    origin = places[number - 1][1] if number and diagnostic.span.line else None
    if origin is None:
        return diagnostic
    hint = f"{diagnostic.hint} See {diagnostic.span.file}:{diagnostic.span.line}.".strip()
    return replace(diagnostic, span=origin, hint=hint)
