"""Charts as HelmReleases with the compiled values, which a Kustomization applies before the servers.

Source: helm-controller 1.6.3, `docs/spec/v2/helmreleases.md`; source-controller 1.9.1,
`docs/spec/v1/helmrepositories.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vsr_compiler import ir
from vsr_compiler.deploy.argocd.applications import application_name
from vsr_compiler.deploy.charts import OCI, InstalledChart
from vsr_compiler.deploy.flux.sources import API as SOURCES
from vsr_compiler.manifests.objects import Body, Object, make

API = "helm.toolkit.fluxcd.io/v2"


def releases(
    policy: ir.Policy,
    flux: ir.Flux,
    environment: ir.Environment,
    charts: Iterable[InstalledChart],
    interval: str,
    timeout: str,
) -> Iterator[Object]:
    """Yield a HelmRelease for each chart, which waits for the one before, and the repositories of the charts."""
    prefix = application_name(policy, environment.name)
    repositories: dict[str, str] = {}
    before: str | None = None
    for chart in charts:
        url = chart.source.repository
        if url not in repositories:
            repositories[url] = f"{prefix}-{len(repositories) + 1}"
            spec: Body = {"interval": interval, "url": url, "provider": "generic"}
            if url.startswith(OCI):
                spec["type"] = "oci"
            yield make(
                SOURCES, "HelmRepository", repositories[url], environment.span, namespace=flux.namespace, spec=spec
            )
        name = f"{prefix}-{chart.source.chart}"
        body = _release(flux, environment, chart, repositories[url], interval, timeout)
        if before is not None:
            body["dependsOn"] = [{"name": before}]
        yield make(API, "HelmRelease", name, environment.span, namespace=flux.namespace, spec=body)
        before = name


def _release(
    flux: ir.Flux, environment: ir.Environment, chart: InstalledChart, repository: str, interval: str, timeout: str
) -> Body:
    spec: Body = {
        "interval": interval,
        "timeout": timeout,
        "releaseName": chart.source.release,
        "targetNamespace": chart.namespace,
        "storageNamespace": chart.namespace,
        "chart": {
            "spec": {
                "chart": chart.source.chart,
                "version": chart.version,
                "reconcileStrategy": "ChartVersion",
                "sourceRef": {"kind": "HelmRepository", "name": repository},
            }
        },
        "install": {"createNamespace": True, "crds": "CreateReplace", "remediation": {"retries": 3}},
        "upgrade": {"crds": "CreateReplace"},
    }
    if chart.values is not None:
        spec["values"] = chart.values.body
    if flux.service_account:
        spec["serviceAccountName"] = flux.service_account
    if environment.cluster is not None and environment.cluster.kubeconfig:
        spec["kubeConfig"] = {"secretRef": {"name": environment.cluster.kubeconfig}}
    return spec
