"""Patches as kustomize reads them."""

from __future__ import annotations

import re

from vsr_compiler.manifests.objects import Body

MARK = "$patch"
"""The key with which a strategic merge patch says that it deletes."""


def selects(target: Body, body: Body) -> bool:
    """Whether a patch's target selects an object, as kustomize decides it: what is left out matches anything."""
    group, _, version = str(body["apiVersion"]).rpartition("/")
    metadata = body["metadata"]
    exact = {"group": group, "version": version, "kind": body["kind"]}
    patterns = {"name": metadata["name"], "namespace": metadata.get("namespace", "")}
    return all(target.get(key) in (None, "", value) for key, value in exact.items()) and all(
        key not in target or re.fullmatch(target[key], value) for key, value in patterns.items()
    )
