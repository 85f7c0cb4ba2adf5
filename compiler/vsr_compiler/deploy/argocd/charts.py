"""Charts as sources of Applications, with the compiled values from the repository (`$values`).

A chart that runs model servers is a source of the environment's Application: its pods are in the default wave, before
routes and router. Controllers of a gateway belong to the cluster: each has an Application of its own in
``argocd/charts/``, which Argo CD never prunes, in a project that allows every kind.

Source: Argo CD 3.5.1, `docs/user-guide/multiple_sources.md`, `docs/user-guide/helm.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from vsr_compiler import ir
from vsr_compiler.deploy.argocd.applications import (
    API,
    REF,
    RETRY,
    application_name,
    cluster_of,
    destination,
    output,
)
from vsr_compiler.deploy.charts import OCI, InstalledChart
from vsr_compiler.manifests.objects import Body, Object, make

Charts = Mapping[str, Sequence[InstalledChart]]
"""The charts of each environment by its name."""


def repository(chart: InstalledChart) -> str:
    """Return the address of a chart's repository. Argo CD takes one without a scheme for a registry."""
    return chart.source.repository.removeprefix(OCI)


def chart_source(policy: ir.Policy, gitops: ir.GitOps, chart: InstalledChart) -> Body:
    """Return the source of a chart."""
    helm: Body = {"releaseName": chart.source.release, "namespace": chart.namespace}
    if chart.file:
        helm["valueFiles"] = [f"${REF}/{output(policy, gitops)}/{chart.file}"]
    return {
        "repoURL": repository(chart),
        "chart": chart.source.chart,
        "targetRevision": chart.version,
        "helm": helm,
    }


def serving(policy: ir.Policy, gitops: ir.GitOps, charts: Charts) -> dict[str, list[Body]]:
    """Return the sources of the charts that serve requests, by environment."""
    return {
        name: [chart_source(policy, gitops, chart) for chart in own if chart.serves] for name, own in charts.items()
    }


def controllers(policy: ir.Policy, gitops: ir.GitOps, charts: Charts) -> list[Object]:
    """Return the project and the Applications of controllers, one of each chart in a cluster."""
    applications: dict[tuple[str, str], Object] = {}
    places: dict[tuple[str, str, str], None] = {}
    repositories: set[str] = set()
    for environment in policy.environments:
        for chart in charts.get(environment.name, ()):
            key = (cluster_of(gitops, environment), chart.source.chart)
            if chart.serves or key in applications:
                continue
            applications[key] = _application(policy, gitops, environment, chart)
            (place,) = destination(gitops, environment).items()
            places[*place, chart.namespace] = None
            repositories.add(repository(chart))
    if not applications:
        return []
    return [_project(policy, gitops, places, repositories), *applications.values()]


def _application(policy: ir.Policy, gitops: ir.GitOps, environment: ir.Environment, chart: InstalledChart) -> Object:
    own = [chart_source(policy, gitops, chart)]
    if chart.file:
        own.append({"repoURL": gitops.repo, "targetRevision": gitops.revision, "ref": REF})
    return make(
        API,
        "Application",
        f"{application_name(policy, environment.name)}-{chart.source.chart}",
        environment.span,
        namespace=gitops.namespace,
        spec={
            "project": project_name(policy),
            "sources": own,
            "destination": {**destination(gitops, environment), "namespace": chart.namespace},
            # Not pruned: without its CustomResourceDefinitions the cluster would lose every object of their kinds.
            "syncPolicy": {
                "automated": {"prune": False, "selfHeal": True},
                "retry": RETRY,
                "syncOptions": ["ServerSideApply=true", "CreateNamespace=true"],
            },
        },
    )


def project_name(policy: ir.Policy) -> str:
    """Return the name of the project of controllers."""
    return f"{policy.name}-charts"


def _project(
    policy: ir.Policy, gitops: ir.GitOps, places: Iterable[tuple[str, str, str]], repositories: Iterable[str]
) -> Object:
    everything = [{"group": "*", "kind": "*"}]
    return make(
        API,
        "AppProject",
        project_name(policy),
        gitops.span,
        namespace=gitops.namespace,
        spec={
            "description": f"Controllers that the routing policy {policy.name} needs",
            "sourceRepos": sorted({gitops.repo, *repositories}),
            "destinations": [{field: cluster, "namespace": namespace} for field, cluster, namespace in sorted(places)],
            "clusterResourceWhitelist": everything,
            "namespaceResourceWhitelist": everything,
        },
    )
