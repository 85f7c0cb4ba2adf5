"""Values for Helm charts that a target needs. The compiler writes them next to the objects; users pass them to Helm."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body

FOLDER = "helm"


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one Helm release.

    Attributes:
        chart: The name of the chart.
        body: The values.
        origin: The place in the policy that `explain` points at.
        services: The Services that the chart creates and our objects send requests to.
        release: The name that the Helm release must have; empty if any will do.
    """

    chart: str
    body: Body
    origin: ir.Span
    services: tuple[ir.ServiceRef, ...] = ()
    release: str = ""

    @property
    def path(self) -> str:
        """The name of its file in the target's ``helm/``, or in an environment's folder there."""
        return f"values-{self.chart}{f'-{self.release}' if self.release else ''}.yaml"
