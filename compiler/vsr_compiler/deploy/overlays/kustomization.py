"""Kustomizations: files and patches by name, without transformers."""

from __future__ import annotations

from collections.abc import Iterable

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object

BASE = "base"


def base_kustomization(objects: Iterable[Object]) -> Body:
    """Return the kustomization of a base. It lists every file, so that no other file is applied."""
    return kustomization(item.path for item in objects)


def overlay_path(environment: ir.Environment) -> str:
    """Return the folder of an overlay below the policy's output."""
    return f"{environment.target}/overlays/{environment.name}"


def kustomization(resources: Iterable[str], patches: Iterable[Body] = ()) -> Body:
    """Return a kustomization.

    Args:
        resources: Files and folders, relative to the kustomization.
        patches: Entries of ``patches``, in the order in which they are applied.
    """
    body: Body = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(resources),
        # Namespaces first, then objects that others refer to, so that a plain `kubectl apply -k` succeeds.
        "sortOptions": {"order": "legacy"},
    }
    if patches := list(patches):
        body["patches"] = patches
    return body
