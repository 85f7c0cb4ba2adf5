"""What one file contains, or what one kustomization builds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vsr_compiler.verify.manifest import Manifest


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """The objects of one file, or of one kustomization.

    Attributes:
        path: The file, or the folder of the kustomization.
        manifests: The objects.
        is_built: Whether it is a kustomization.
    """

    path: Path
    manifests: list[Manifest]
    is_built: bool = False
