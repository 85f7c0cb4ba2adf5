"""What a kustomization's patches make of the objects that it names, so far as they are such as ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from vsr_compiler.manifests import jsonpatch
from vsr_compiler.manifests.patches import MARK, selects
from vsr_compiler.verify.manifest import Body, Manifest, table

KEYS = frozenset({"group", "version", "kind", "name", "namespace"})
OPERATIONS = frozenset({"add", "remove", "replace"})
_PLAIN = re.compile(r"(?:[A-Za-z0-9-]|\\?\.)*")
"""What is no pattern: one of anybody's could take for ever."""


def patched(found: Sequence[Manifest], entry: Body, patch: Any) -> list[Manifest] | None:  # noqa: ANN401 - any YAML
    """The objects with one patch applied; None where it is of another form, or leads nowhere.

    What a patch put there stands, for messages, where the object stands that it was put into.

    Args:
        found: The objects.
        entry: The patch's entry in the kustomization.
        patch: A JSON patch, or a deletion by identity.
    """
    if isinstance(patch, dict) and patch.get(MARK) == "delete":
        gone = [each for each in found if _same(each, patch)]
        return [each for each in found if each not in gone] if gone else None
    target = table(entry.get("target"))
    if not isinstance(patch, list) or not target or not target.keys() <= KEYS:
        return None
    if not all(table(each).get("op") in OPERATIONS for each in patch):
        return None
    if not all(isinstance(value, str) and _PLAIN.fullmatch(value) for value in target.values()):
        return None
    try:
        hits = {each: jsonpatch.apply(each.body, patch) for each in found if selects(target, each.body)}
    except (jsonpatch.PatchError, KeyError, TypeError, AttributeError, ValueError):
        return None
    return [Manifest(hits[each], each.where) if each in hits else each for each in found] if hits else None


def _same(each: Manifest, patch: Body) -> bool:
    metadata = table(patch.get("metadata"))
    names = (patch.get("apiVersion"), patch.get("kind"), metadata.get("namespace", ""), metadata.get("name"))
    return names == (each.body["apiVersion"], each.kind, each.namespace, each.name)
