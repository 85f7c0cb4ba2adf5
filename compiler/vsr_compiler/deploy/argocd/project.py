"""The AppProject: the Applications of a policy may change the objects of its overlays and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

from vsr_compiler import ir
from vsr_compiler.deploy.argocd.applications import API
from vsr_compiler.manifests.objects import Object, make


def project(policy: ir.Policy, gitops: ir.GitOps, objects: Iterable[Object]) -> Object:
    """Return the AppProject for the objects of all environments. Cluster-scoped objects are allowed by name."""
    objects = list(objects)
    namespaces = {item.namespace for item in objects if item.namespace} | _destinations(policy)
    namespaced = {item.group_kind for item in objects if item.namespace}
    cluster = {(*item.group_kind, item.name) for item in objects if not item.namespace}
    return make(
        API,
        "AppProject",
        policy.name,
        gitops.span,
        namespace=gitops.namespace,
        spec={
            "description": f"What the routing policy {policy.name} may change",
            "sourceRepos": [gitops.repo],
            "destinations": [{"server": gitops.server, "namespace": name} for name in sorted(namespaces)],
            "clusterResourceWhitelist": [
                {"group": group, "kind": kind, "name": name} for group, kind, name in sorted(cluster)
            ],
            "namespaceResourceWhitelist": [{"group": group, "kind": kind} for group, kind in sorted(namespaced)],
        },
    )


def _destinations(policy: ir.Policy) -> set[str]:
    """Return the destination namespaces of the Applications."""
    others = {environment.gateway_namespace for environment in policy.environments if environment.gateway_namespace}
    return {policy.gateway.namespace, *others}
