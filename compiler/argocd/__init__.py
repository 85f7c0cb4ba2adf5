"""Argo CD: the order in which objects are synced, and the objects that make it sync a policy's overlays."""

from compiler.argocd.emit import ArgoCd, emit
from compiler.argocd.waves import waved

__all__ = ["ArgoCd", "emit", "waved"]
