"""Environments on several clusters: one environment for each, with what the cluster replaces."""

from __future__ import annotations

from vsr_compiler.link.scope import Scope
from vsr_schemas.policy import v1alpha1 as schema

MAX_NAME = 63
"""The name of an environment is the value of labels."""
_BY_NAME = ("replicas", "images", "resources", "placement")
_WHOLE = ("device", "identity", "region")


def with_clusters(scope: Scope, policy: schema.PolicySpec) -> schema.PolicySpec:
    """Return the policy with an environment in the place of each cluster of an environment.

    Its name is that of the environment and that of the cluster. The scope learns both, so that findings are reported
    where the words are written.
    """
    environments: dict[str, schema.EnvironmentSpec] = {}
    for name, spec in policy.environments.items():
        if spec.clusters is None:
            environments[name] = spec
            continue
        for cluster, own in spec.clusters.items():
            path = ("environments", name, "clusters", cluster)
            known = {} if policy.gitops is None else policy.gitops.clusters or {}
            scope.resolve(known, cluster, "cluster", path, key=True)
            whole = f"{name}-{cluster}"
            if whole in policy.environments or whole in scope.clusters:
                message = f"two environments are called `{whole}`"
                scope.report("VSR369", message, path, "Rename the environment or the cluster.", key=True)
            elif len(whole) > MAX_NAME:
                message = f"`{whole}` is longer than {MAX_NAME} characters"
                scope.report("VSR369", message, path, "Shorten the name of the environment or the cluster.", key=True)
            scope.clusters[whole] = (name, cluster)
            environments[whole] = _on_cluster(spec, own)
    if not scope.clusters:
        return policy
    return policy.model_copy(update={"environments": environments})


def _on_cluster(spec: schema.EnvironmentSpec, own: schema.EnvironmentClusterSpec) -> schema.EnvironmentSpec:
    """Return an environment as it is on a cluster: maps by endpoint or listener are merged, other words replaced."""
    changes: dict[str, object] = {key: getattr(spec, key) | getattr(own, key) for key in _BY_NAME}
    changes |= {key: getattr(own, key) for key in _WHOLE if getattr(own, key) is not None}
    gateway = own.gateway
    changes["gateway"] = spec.gateway.model_copy(
        update={
            "name": gateway.name or spec.gateway.name,
            "namespace": gateway.namespace or spec.gateway.namespace,
            "hostnames": spec.gateway.hostnames | gateway.hostnames,
        }
    )
    return spec.model_copy(update={**changes, "clusters": None})
