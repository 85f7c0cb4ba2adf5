"""Overlays: the difference between an environment and the base of its target."""

from vsr_compiler.deploy.overlays.kustomization import BASE, base_kustomization, kustomization, overlay_path
from vsr_compiler.deploy.overlays.overlay import Overlay, overlay
from vsr_compiler.deploy.overlays.resolve import resolve

__all__ = ["BASE", "Overlay", "base_kustomization", "kustomization", "overlay", "overlay_path", "resolve"]
