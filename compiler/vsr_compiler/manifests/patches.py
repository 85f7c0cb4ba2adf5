"""Kustomize patches: how a target selects an object."""

from __future__ import annotations

import re

from vsr_compiler.manifests.objects import Body

MARK = "$patch"
"""The key of a strategic merge patch that deletes its object."""


def selects(target: Body, body: Body) -> bool:
    """Return whether the target of a patch selects an object. As in kustomize, a missing field matches anything."""
    group, _, version = str(body["apiVersion"]).rpartition("/")
    metadata = body["metadata"]
    exact = {"group": group, "version": version, "kind": body["kind"]}
    patterns = {"name": metadata["name"], "namespace": metadata.get("namespace", "")}
    return all(target.get(key) in (None, "", value) for key, value in exact.items()) and all(
        key not in target or re.fullmatch(target[key], value) for key, value in patterns.items()
    )
