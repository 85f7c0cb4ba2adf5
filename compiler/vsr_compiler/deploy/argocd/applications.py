"""Applications: what Argo CD syncs, from where and how; one an environment, or one set that finds them."""

from __future__ import annotations

import posixpath

from vsr_compiler import ir
from vsr_compiler.deploy.overlays import overlay_path
from vsr_compiler.manifests.objects import Body, Object, make

API = "argoproj.io/v1alpha1"
COMPARE = {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"}
"""The API server says what an apply would change, so that defaults and other controllers' fields are no difference."""


def application(policy: ir.Policy, gitops: ir.GitOps, environment: ir.Environment) -> Object:
    """The Application of an environment."""
    gateway = environment.gateway_namespace or policy.gateway.namespace
    return make(
        API,
        "Application",
        application_name(policy, environment),
        environment.span,
        namespace=gitops.namespace,
        annotations=COMPARE,
        spec=_spec(policy, gitops, f"{output(policy, gitops)}/{overlay_path(environment)}", gateway),
    )


def application_set(policy: ir.Policy, gitops: ir.GitOps) -> Object:
    """An ApplicationSet that makes the same Applications, by name, from the overlays that the repository holds."""
    name = f"{policy.name}-{{{{ .path.basename }}}}"
    return make(
        API,
        "ApplicationSet",
        policy.name,
        gitops.span,
        namespace=gitops.namespace,
        spec={
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [
                {
                    "git": {
                        "repoURL": gitops.repo,
                        "revision": gitops.revision,
                        "directories": [{"path": f"{output(policy, gitops)}/*/overlays/*"}],
                    }
                }
            ],
            # An overlay that cannot be read for a moment must not take the gateway down.
            "syncPolicy": {"preserveResourcesOnDeletion": True},
            "template": {
                "metadata": {"name": name, "annotations": COMPARE},
                "spec": _spec(policy, gitops, "{{ .path.path }}", policy.gateway.namespace),
            },
        },
    )


def application_name(policy: ir.Policy, environment: ir.Environment) -> str:
    """The Application's name, the same in both forms: applied together they are still one."""
    return f"{policy.name}-{environment.name}"


def output(policy: ir.Policy, gitops: ir.GitOps) -> str:
    """The policy's output folder in the repository: ``gitops.path`` is where ``out/`` lies."""
    return posixpath.normpath(posixpath.join(gitops.path.strip("/") or ".", "out", policy.name))


def _spec(policy: ir.Policy, gitops: ir.GitOps, path: str, namespace: str) -> Body:
    return {
        "project": policy.name,
        "source": {"repoURL": gitops.repo, "targetRevision": gitops.revision, "path": path},
        # Every object names its namespace; this one is only where Argo CD would put one that does not.
        "destination": {"server": gitops.server, "namespace": namespace},
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "retry": {"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}},
            "syncOptions": ["ServerSideApply=true", "PruneLast=true", "FailOnSharedResource=true"],
        },
    }
