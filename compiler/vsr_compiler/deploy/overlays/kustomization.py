"""Kustomizations in the one form that we write: files and patches by name, nothing rewritten."""

from __future__ import annotations

from collections.abc import Iterable

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object

BASE = "base"


def base_kustomization(found: Iterable[Object]) -> Body:
    """The kustomization of a base: each file by name, so that none comes in unnoticed."""
    return kustomization(item.path for item in found)


def overlay_path(environment: ir.Environment) -> str:
    """The folder of an overlay below the policy's output."""
    return f"{environment.target}/overlays/{environment.name}"


def kustomization(resources: Iterable[str], patches: Iterable[Body] = ()) -> Body:
    """A kustomization.

    Args:
        resources: Files and folders, relative to it.
        patches: Entries of ``patches``, in the order in which they are applied.
    """
    body: Body = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(resources),
        # Namespaces first, then what others refer to: the order in which a plain `kubectl apply -k` succeeds.
        "sortOptions": {"order": "legacy"},
    }
    if patches := list(patches):
        body["patches"] = patches
    return body
