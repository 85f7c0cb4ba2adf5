"""Which resources a patch is for."""

from __future__ import annotations

import re

from vsr_compiler.verify.kustomization.resource import NotSupportedError, Resource
from vsr_compiler.verify.manifest import Body, as_mapping, as_string

_SIMPLE = re.compile(r"(?:[A-Za-z0-9_/-]|\\?\.|\.[*+]|[|]|\[[A-Za-z0-9]+\])*")
"""Patterns that take little time: words, dots, a few `.*`, alternatives and sets of letters."""
_REPEATS = re.compile(r"\.[*+]")
MAX_REPEATS = 3


def selected(resource: Resource, target: Body) -> bool:
    """Whether the target of a patch selects a resource. A field that is missing matches anything."""
    api = as_string(resource.value.get("apiVersion"))
    values = {"group": [resource.group], "version": [api.rpartition("/")[2]], "kind": [resource.kind]}
    names = resource.known_names
    values |= {"name": [name for _, name in names], "namespace": [namespace for namespace, _ in names]}
    if unknown := target.keys() - values.keys() - {"labelSelector", "annotationSelector"}:
        raise NotSupportedError(f"the field {min(unknown)} of a patch's target")
    for key, known in values.items():
        wanted = target.get(key)
        if wanted in (None, ""):
            continue
        if not isinstance(wanted, str) or not _SIMPLE.fullmatch(wanted) or len(_REPEATS.findall(wanted)) > MAX_REPEATS:
            raise NotSupportedError(f"the pattern `{wanted}` of a patch's target")
        if not any(re.fullmatch(wanted, value) for value in known):
            return False
    metadata = as_mapping(resource.value.get("metadata"))
    return all(
        _has(as_mapping(metadata.get(field)), as_string(target.get(key)))
        for key, field in (("labelSelector", "labels"), ("annotationSelector", "annotations"))
    )


def _has(labels: Body, selector: str) -> bool:
    """Whether labels match a selector of equalities and existence."""
    for part in filter(None, (item.strip() for item in selector.split(","))):
        if re.search(r"\s(in|notin)\s|\(|\)", part):
            raise NotSupportedError(f"the selector `{selector}`")
        key, negated, value = part.partition("!=")
        if negated:
            if labels.get(key.strip()) == value.strip():
                return False
            continue
        key, equals, value = part.replace("==", "=").partition("=")
        if part.startswith("!"):
            if part[1:] in labels:
                return False
        elif key.strip() not in labels or (equals and labels[key.strip()] != value.strip()):
            return False
    return True
