"""Maps diagnostics about output to the lines of the policy that produced it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import replace

from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.pipeline import Compiled
from vsr_compiler.verify import Manifest


def map_to_policy(found: Iterable[Diagnostic], manifests: Iterable[Manifest], compiled: Compiled) -> list[Diagnostic]:
    """Return the diagnostics with spans in the policy where possible; the original position goes to the hint.

    Args:
        found: Diagnostics about manifests.
        manifests: Those manifests.
        compiled: A fresh compile of the policy.
    """
    origins = {
        (item.kind, item.namespace, item.name): item.origin
        for item in (
            *compiled.objects.values(),
            *compiled.patched.values(),
            *(each for whole in compiled.environments.values() for each in whole),
        )
    }
    begins: dict[str, list[tuple[int, Span | None]]] = {}
    for each in manifests:
        start = each.span()
        begins.setdefault(start.file, []).append((start.line, origins.get((each.kind, each.namespace, each.name))))
    for places in begins.values():
        places.sort(key=lambda place: place[0])
    return [_moved(item, begins.get(item.span.file, [])) for item in found]


def _moved(item: Diagnostic, places: list[tuple[int, Span | None]]) -> Diagnostic:
    number = bisect_right([line for line, _ in places], item.span.line)
    origin = places[number - 1][1] if number and item.span.line else None
    if origin is None:
        return item
    hint = f"{item.hint} See {item.span.file}:{item.span.line}.".strip()
    return replace(item, span=origin, hint=hint)
