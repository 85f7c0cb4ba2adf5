"""Values for Helm charts that a target needs. The compiler writes them next to the objects; users pass them to Helm."""

from __future__ import annotations

from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body

FOLDER = "helm"


@dataclass(frozen=True, slots=True)
class ChartSource:
    """Where a chart is, and how it is installed.

    Attributes:
        chart: The name of the chart.
        repository: The address of its repository, with `oci://` for a registry.
        release: The name of the Helm release.
        project: The project whose release is the chart's version.
        namespace: The namespace of a controller; empty for a chart in the namespace of its Services.
        prefix: What comes before the release in the version.
    """

    chart: str
    repository: str
    release: str
    project: str
    namespace: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Values:
    """The values of one Helm release.

    Attributes:
        chart: The name of the chart.
        body: The values.
        origin: The place in the policy that `explain` points at.
        services: The Services that the chart creates and our objects send requests to.
        release: The name that the Helm release must have; empty if any will do.
        pods: The pods that the chart starts and our objects select: namespace, and labels sorted by key.
    """

    chart: str
    body: Body
    origin: ir.Span
    services: tuple[ir.ServiceRef, ...] = ()
    release: str = ""
    pods: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()

    @property
    def path(self) -> str:
        """The name of its file in the target's ``helm/``, or in an environment's folder there."""
        return f"values-{self.chart}{f'-{self.release}' if self.release else ''}.yaml"
