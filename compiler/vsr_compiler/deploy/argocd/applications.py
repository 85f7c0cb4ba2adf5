"""Applications: one per environment, or an ApplicationSet that creates the same ones."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.deploy.overlays import overlay_path
from vsr_compiler.manifests.objects import Body, Object, make

API = "argoproj.io/v1alpha1"
RETRY: Body = {"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}, "refresh": True}
"""A retry takes the latest commit. Without `refresh` it repeats the faulty one, up to ten minutes after the repair."""


def application(policy: ir.Policy, gitops: ir.GitOps, environment: ir.Environment) -> Object:
    """Return the Application of an environment."""
    return make(
        API,
        "Application",
        application_name(policy, environment.name),
        environment.span,
        namespace=gitops.namespace,
        spec=_spec(policy, gitops, **_place(policy, gitops, environment)),
    )


def application_set(policy: ir.Policy, gitops: ir.GitOps, environments: Iterable[ir.Environment]) -> Object:
    """Return an ApplicationSet that creates the Applications of these environments."""
    elements = [
        {"environment": environment.name, **_place(policy, gitops, environment)} for environment in environments
    ]
    return make(
        API,
        "ApplicationSet",
        policy.name,
        gitops.span,
        namespace=gitops.namespace,
        spec={
            "goTemplate": True,
            "goTemplateOptions": ["missingkey=error"],
            "generators": [{"list": {"elements": elements}}],
            # If an element disappears, the gateway must stay.
            "syncPolicy": {"preserveResourcesOnDeletion": True},
            "template": {
                "metadata": {"name": application_name(policy, "{{ .environment }}")},
                "spec": _spec(policy, _literal(gitops), "{{ .path }}", "{{ .server }}", "{{ .namespace }}"),
            },
        },
    )


def _literal(gitops: ir.GitOps) -> ir.GitOps:
    """Return the values that become a part of a template, written so that it prints them as they are."""
    texts = {name: getattr(gitops, name).replace("{{", '{{ "{{" }}') for name in ("repo", "revision")}
    return replace(gitops, **texts)


def application_name(policy: ir.Policy, environment: str) -> str:
    """Return the name of an Application. It is the same in both forms, so that applying both creates it once."""
    return f"{policy.name}-{environment}"


def server_of(gitops: ir.GitOps, environment: ir.Environment) -> str:
    """Return the API server of an environment's cluster."""
    return environment.server or gitops.server


def destination_namespace(policy: ir.Policy, environment: ir.Environment) -> str:
    """Return the default namespace of an Application. Its objects have namespaces of their own."""
    return environment.gateway_namespace or policy.gateway.namespace


def output(policy: ir.Policy, gitops: ir.GitOps) -> str:
    """Return the policy's output folder in the repository: ``gitops.path`` is the parent of ``out/``."""
    return posixpath.normpath(posixpath.join(gitops.path.strip("/") or ".", "out", policy.name))


def _place(policy: ir.Policy, gitops: ir.GitOps, environment: ir.Environment) -> dict[str, str]:
    return {
        "path": f"{output(policy, gitops)}/{overlay_path(environment)}",
        "server": server_of(gitops, environment),
        "namespace": destination_namespace(policy, environment),
    }


def _spec(policy: ir.Policy, gitops: ir.GitOps, path: str, server: str, namespace: str) -> Body:
    return {
        "project": policy.name,
        "source": {"repoURL": gitops.repo, "targetRevision": gitops.revision, "path": path},
        "destination": {"server": server, "namespace": namespace},
        # Not `ServerSideDiff`: one object that the API server refuses fails the comparison as a whole, and the cache of
        # differences then shows the commit as synced (Argo CD 3.5.1, controller/state.go).
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "retry": RETRY,
            "syncOptions": ["ServerSideApply=true", "PruneLast=true", "FailOnSharedResource=true"],
        },
    }
