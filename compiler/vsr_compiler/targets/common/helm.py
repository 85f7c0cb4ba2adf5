"""Values to hand to Helm, for what a target needs of a chart. They lie beside the objects, and nothing applies them."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body

FOLDER = "helm"


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one release of a chart, and the Services that it makes and our objects send requests to.

    ``origin`` is what `explain` points at.
    """

    chart: str
    body: Body
    origin: ir.Span
    services: tuple[ir.ServiceRef, ...] = ()

    @property
    def path(self) -> str:
        """Where its file goes below a target's ``helm/``, or below an environment's own folder there."""
        return f"values-{self.chart}.yaml"
