"""Flux: the sources and Kustomizations that apply a policy's overlays in the order of a rollout."""

from vsr_compiler.deploy.flux.emit import FOLDER, FluxFiles, emit
from vsr_compiler.deploy.flux.kept import kept

__all__ = ["FOLDER", "FluxFiles", "emit", "kept"]
