"""Environments become overlays: what differs from the base, and nothing else."""

from vsr_compiler.deploy.overlays.kustomization import BASE, base_kustomization, kustomization, overlay_path
from vsr_compiler.deploy.overlays.overlay import Overlay, overlay
from vsr_compiler.deploy.overlays.resolve import resolve

__all__ = ["BASE", "Overlay", "base_kustomization", "kustomization", "overlay", "overlay_path", "resolve"]
