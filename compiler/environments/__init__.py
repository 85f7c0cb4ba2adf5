"""Environments become overlays: what differs from the base, and nothing else."""

from compiler.environments.kustomization import BASE, base_kustomization, kustomization, overlay_path
from compiler.environments.overlay import Overlay, overlay
from compiler.environments.resolve import resolve

__all__ = ["BASE", "Overlay", "base_kustomization", "kustomization", "overlay", "overlay_path", "resolve"]
