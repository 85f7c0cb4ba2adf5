"""Argo CD: sync waves of objects, and the Applications that sync a policy's overlays."""

from vsr_compiler.deploy.argocd.emit import NOTHING, ArgoCd, emit
from vsr_compiler.deploy.argocd.waves import waved

__all__ = ["NOTHING", "ArgoCd", "emit", "waved"]
