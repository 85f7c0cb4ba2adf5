"""Applications: one per environment, or an ApplicationSet that finds the overlays itself."""

from __future__ import annotations

import posixpath
import re
from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.deploy.overlays import overlay_path
from vsr_compiler.manifests.objects import Body, Object, make

API = "argoproj.io/v1alpha1"
COMPARE = {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"}
"""Compare by a server-side dry run, so that defaults and fields of other controllers do not count as drift."""


def application(policy: ir.Policy, gitops: ir.GitOps, environment: ir.Environment) -> Object:
    """Return the Application of an environment."""
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
    """Return an ApplicationSet that creates the same Applications, by name, from the overlays in the repository."""
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
                        "directories": [{"path": f"{_no_glob(output(policy, gitops))}/*/overlays/*"}],
                    }
                }
            ],
            # If an overlay cannot be read for a moment, the gateway must stay.
            "syncPolicy": {"preserveResourcesOnDeletion": True},
            "template": {
                "metadata": {"name": name, "annotations": COMPARE},
                "spec": _spec(policy, _literal(gitops), "{{ .path.path }}", policy.gateway.namespace),
            },
        },
    )


def _literal(gitops: ir.GitOps) -> ir.GitOps:
    """Return the values that are part of a template, written so that the template prints them as they are."""
    texts = {name: getattr(gitops, name).replace("{{", '{{ "{{" }}') for name in ("repo", "revision", "server")}
    return replace(gitops, **texts)


def _no_glob(path: str) -> str:
    """Return a path in which no character is a wildcard of Go's `path.Match`."""
    return re.sub(r"[\\*?[]", r"\\\g<0>", path)


def application_name(policy: ir.Policy, environment: ir.Environment) -> str:
    """Return the name of an Application. It is the same in both forms, so that applying both creates it once."""
    return f"{policy.name}-{environment.name}"


def output(policy: ir.Policy, gitops: ir.GitOps) -> str:
    """Return the policy's output folder in the repository: ``gitops.path`` is the parent of ``out/``."""
    return posixpath.normpath(posixpath.join(gitops.path.strip("/") or ".", "out", policy.name))


def _spec(policy: ir.Policy, gitops: ir.GitOps, path: str, namespace: str) -> Body:
    return {
        "project": policy.name,
        "source": {"repoURL": gitops.repo, "targetRevision": gitops.revision, "path": path},
        # Every object has a namespace of its own; Argo CD requires a default nevertheless.
        "destination": {"server": gitops.server, "namespace": namespace},
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "retry": {"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}},
            "syncOptions": ["ServerSideApply=true", "PruneLast=true", "FailOnSharedResource=true"],
        },
    }
