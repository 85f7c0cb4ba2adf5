"""Environments become overlays: what differs from the base, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from compiler.features.objects import Body, Object
from compiler.link import ir

BASE = "base"


def base_kustomization(found: Iterable[Object]) -> Body:
    """The kustomization of a base: each file by name, so that none comes in unnoticed."""
    return _kustomization([item.path for item in found])


def overlay_kustomization(environment: ir.Environment) -> Body:
    """The kustomization of an overlay, seen from its own folder."""
    del environment  # nothing that it may set differs from the base yet
    return _kustomization([f"../../{BASE}"])


def overlay_path(environment: ir.Environment) -> str:
    """The folder of an overlay below the policy's output."""
    return f"{environment.target}/overlays/{environment.name}"


def _kustomization(resources: list[str]) -> Body:
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": sorted(resources),
        # Namespaces first, then what others refer to: the order in which a plain `kubectl apply -k` succeeds.
        "sortOptions": {"order": "legacy"},
    }
