"""Checks of Kubernetes objects, generated or written by hand: links between objects, schemas, Envoy, an API server.

The package knows nothing of policies, targets and output folders. The caller passes in what a check may assume.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import islice

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.manifests.objects import Object
from vsr_compiler.verify.assumptions import Assumptions
from vsr_compiler.verify.manifest import Body, Manifest
from vsr_compiler.verify.manifest_index import ManifestIndex
from vsr_compiler.verify.rules import LINK_RULES

__all__ = ["Assumptions", "Manifest", "check_links", "check_objects"]

MAX_PER_RULE = 10_000
"""Findings of one link rule. Objects that all relate to each other could cause millions."""


def check_objects(
    objects: Iterable[Object], assumptions: Assumptions | None = None, documents: Mapping[str, Body] | None = None
) -> list[Diagnostic]:
    """Check the links of generated objects. Diagnostics point to the policy lines from which the objects come.

    Args:
        objects: Everything that is applied together.
        assumptions: Objects and pods that exist elsewhere.
        documents: Parsed YAML documents by their text in ConfigMaps, so that generated texts are not parsed again.
    """
    manifests = [Manifest.generated(item.body, item.origin) for item in objects]
    return check_links(manifests, replace(assumptions or Assumptions(), is_complete=True), documents)


def check_links(
    manifests: list[Manifest], assumptions: Assumptions | None = None, documents: Mapping[str, Body] | None = None
) -> list[Diagnostic]:
    """Check the links between objects with every link rule. Return each diagnostic once, sorted by place."""
    index = ManifestIndex(manifests, assumptions or Assumptions(), documents or {})
    found = {item for rule in LINK_RULES for item in islice(rule.check(index), MAX_PER_RULE)}
    return sorted(found, key=lambda item: item.order)
