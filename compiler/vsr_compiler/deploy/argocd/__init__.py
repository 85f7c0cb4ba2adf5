"""Argo CD: the order in which objects are synced, and the objects that make it sync a policy's overlays."""

from vsr_compiler.deploy.argocd.emit import ArgoCd, emit
from vsr_compiler.deploy.argocd.waves import waved

__all__ = ["ArgoCd", "emit", "waved"]
