"""The AppProject: the Applications of a policy may change the objects of its overlays and nothing else.

The project stays the same when an endpoint, model or Gateway is renamed and when an environment moves to another
target: such a change creates and prunes objects in one sync, and Argo CD neither creates nor prunes what the project
forbids. So it allows the kinds of every target, in the namespaces of the policy, and cluster-scoped names as patterns.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vsr_compiler import ir
from vsr_compiler.deploy.argocd.applications import API
from vsr_compiler.deploy.overlays import resolve
from vsr_compiler.manifests.kinds import ARGO_GROUP
from vsr_compiler.manifests.objects import Object, make
from vsr_compiler.targets import TARGETS, kinds

Place = tuple[str, str]
"""A cluster of Argo CD: `server` and its URL, or `name` and its name there."""
Servers = Mapping[Place, Iterable[str]]
"""The namespaces of a policy's objects by cluster."""


def project(policy: ir.Policy, gitops: ir.GitOps, servers: Servers, charts: Iterable[str] = ()) -> Object:
    """Return the AppProject, which allows the repositories of charts as well."""
    return make(
        API,
        "AppProject",
        policy.name,
        gitops.span,
        namespace=gitops.namespace,
        spec={
            "description": f"What the routing policy {policy.name} may change",
            "sourceRepos": [gitops.repo, *sorted(charts)],
            "destinations": [
                {key: cluster, "namespace": name}
                for (key, cluster), names in sorted(servers.items(), key=lambda item: item[0][::-1])
                for name in sorted(names)
            ],
            "clusterResourceWhitelist": [
                {"group": group, "kind": kind, "name": name} for group, kind, name in sorted(_cluster_names(policy))
            ],
            "namespaceResourceWhitelist": [
                {"group": group, "kind": name}
                for (group, name), kind in sorted(kinds().items())
                if kind.emitted and kind.namespaced and (group != ARGO_GROUP or _rolls_out(policy))
            ],
        },
    )


def _rolls_out(policy: ir.Policy) -> bool:
    """Return whether an environment may have a Rollout. Kinds of the group run pods, so others do not get them."""
    return any(
        isinstance(own, ir.Rollout) for own in (policy.router.rollout, *(e.rollout for e in policy.environments))
    )


def _cluster_names(policy: ir.Policy) -> set[tuple[str, str, str]]:
    """Return group, kind and name of the cluster-scoped objects of every target and environment."""
    policies = [policy, *(resolve(policy, environment) for environment in policy.environments)]
    return {
        entry
        for own in policies
        for target in TARGETS.values()
        for part, seen in target.parts(own)
        for names in part.cluster_names
        for entry in names(seen)
    }
