"""Checks of Kubernetes objects, ours or anybody's: references, the rules between them, schemas.

A rule looks at all objects together and yields findings; it never changes one and reads nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Object
from vsr_compiler.verify.manifest import Body, Manifest
from vsr_compiler.verify.manifest_index import Assumed, World
from vsr_compiler.verify.rules import RULES
from vsr_compiler.verify.stream import of

__all__ = ["RULES", "Assumed", "Manifest", "check", "links"]


def check(
    objects: Iterable[Object], assumed: Assumed | None = None, known: Mapping[str, Body] | None = None
) -> list[Diagnostic]:
    """What the link rules find in objects that we made; findings point at the policy lines that the objects come from.

    Args:
        objects: Everything that is applied together.
        assumed: What exists elsewhere.
        known: What texts in ConfigMaps hold, so that nobody parses what we have just written.
    """
    return links([of(each.body, each.origin) for each in objects], assumed, known)


def links(
    manifests: list[Manifest], assumed: Assumed | None = None, known: Mapping[str, Body] | None = None
) -> list[Diagnostic]:
    """What the link rules find, sorted by place, each finding once."""
    world = World(manifests, assumed or Assumed(), known or {})
    return sorted({item for rule in RULES.values() for item in rule(world)}, key=lambda item: item.order)
