"""Applications: one per environment, or an ApplicationSet that creates the same ones."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from vsr_compiler import ir
from vsr_compiler.deploy.overlays import overlay_path
from vsr_compiler.manifests.objects import Body, Object, make

API = "argoproj.io/v1alpha1"
Charts = Mapping[str, Sequence[Body]]
"""The sources of charts of each environment by its name."""
NO_CHARTS: Charts = MappingProxyType({})
ENVIRONMENT = "vsr.dev/environment"
"""The label of an Application with its environment: users order clusters by it."""
REF = "values"
_KEYS = ("path", "server", "namespace")
_FIELDS = (*_KEYS, "cluster")
_PATCH = '{"spec": {"sources": {{ toJson .sources }}}}'
RETRY: Body = {"limit": 5, "backoff": {"duration": "10s", "factor": 2, "maxDuration": "5m"}, "refresh": True}
"""A retry takes the latest commit. Without `refresh` it repeats the faulty one, up to ten minutes after the repair."""


def application(
    policy: ir.Policy, gitops: ir.GitOps, environment: ir.Environment, charts: Sequence[Body] = ()
) -> Object:
    """Return the Application of an environment, with the sources of charts beside its overlay."""
    spec = _spec(policy, gitops, **_place(policy, gitops, environment))
    return make(
        API,
        "Application",
        application_name(policy, environment.name),
        environment.span,
        namespace=gitops.namespace,
        labels={ENVIRONMENT: environment.name},
        spec=_with_sources(spec, [_referred(spec["source"]), *charts]) if charts else spec,
    )


def application_set(
    policy: ir.Policy, gitops: ir.GitOps, environments: Iterable[ir.Environment], charts: Charts = NO_CHARTS
) -> Object:
    """Return an ApplicationSet that creates the Applications of these environments.

    A template has no lists of different length, so the sources of charts come by a patch of the template.
    """
    environments = list(environments)
    elements: list[Body] = [{"environment": item.name, **_place(policy, gitops, item)} for item in environments]
    if any("cluster" in element for element in elements):
        # A template has both fields, and Argo CD takes the one that is not empty.
        elements = [{"cluster": "", "server": "", **element} for element in elements]
    spec: Body = {}
    if any(charts.get(item.name) for item in environments):
        for element, item in zip(elements, environments, strict=True):
            source = _spec(policy, gitops, **_place(policy, gitops, item))["source"]
            own = charts.get(item.name, ())
            element["sources"] = [_referred(source), *own] if own else [source]
        spec["templatePatch"] = _PATCH
    values = {key: f"{{{{ .{key} }}}}" for key in (*(elements[0] if elements else _KEYS),) if key in _FIELDS}
    template = _spec(policy, _literal(gitops), **values)
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
                "metadata": {
                    "labels": {ENVIRONMENT: "{{ .environment }}"},
                    "name": application_name(policy, "{{ .environment }}"),
                },
                "spec": {key: value for key, value in template.items() if not spec or key != "source"},
            },
            **spec,
        },
    )


def _literal(gitops: ir.GitOps) -> ir.GitOps:
    """Return the values that become a part of a template, written so that it prints them as they are."""
    texts = {name: getattr(gitops, name).replace("{{", '{{ "{{" }}') for name in ("repo", "revision")}
    return replace(gitops, **texts)


def application_name(policy: ir.Policy, environment: str) -> str:
    """Return the name of an Application. It is the same in both forms, so that applying both creates it once."""
    return f"{policy.name}-{environment}"


def destination(gitops: ir.GitOps, environment: ir.Environment) -> dict[str, str]:
    """Return the cluster of an environment: its API server, or the name that Argo CD has for it."""
    if environment.cluster is not None and not environment.cluster.server:
        return {"name": environment.cluster.name}
    return {"server": environment.server or gitops.server}


def cluster_of(gitops: ir.GitOps, environment: ir.Environment) -> str:
    """Return the cluster of an environment in one word, which is equal for environments of one cluster."""
    return next(iter(destination(gitops, environment).values()))


def destination_namespace(policy: ir.Policy, environment: ir.Environment) -> str:
    """Return the default namespace of an Application. Its objects have namespaces of their own."""
    return environment.gateway_namespace or policy.gateway.namespace


def output(policy: ir.Policy, gitops: ir.GitOps) -> str:
    """Return the policy's output folder in the repository: ``gitops.path`` is the parent of ``out/``."""
    return posixpath.normpath(posixpath.join(gitops.path.strip("/") or ".", "out", policy.name))


def _referred(source: Body) -> Body:
    """Return the source of an overlay, to which the values of charts refer as `$values`."""
    return {**source, "ref": REF}


def _with_sources(spec: Body, sources: list[Body]) -> Body:
    return {
        ("sources" if key == "source" else key): (sources if key == "source" else item) for key, item in spec.items()
    }


def _place(policy: ir.Policy, gitops: ir.GitOps, environment: ir.Environment) -> dict[str, str]:
    place = destination(gitops, environment)
    return {
        "path": source_path(policy, gitops, environment),
        **({"cluster": place["name"]} if "name" in place else place),
        "namespace": destination_namespace(policy, environment),
    }


def source_path(policy: ir.Policy, gitops: ir.GitOps, environment: ir.Environment) -> str:
    """Return the folder of an environment in the repository, or in the artifact of the policy's output."""
    overlay = overlay_path(environment)
    return overlay if gitops.is_artifact else f"{output(policy, gitops)}/{overlay}"


def _spec(policy: ir.Policy, gitops: ir.GitOps, path: str, namespace: str, server: str = "", cluster: str = "") -> Body:
    place = {"name": cluster, "server": server}
    return {
        "project": policy.name,
        "source": {"repoURL": gitops.repo, "targetRevision": gitops.revision, "path": path},
        "destination": {**{key: text for key, text in place.items() if text}, "namespace": namespace},
        # Not `ServerSideDiff`: one object that the API server refuses fails the comparison as a whole, and the cache of
        # differences then shows the commit as synced (Argo CD 3.5.1, controller/state.go).
        "syncPolicy": {
            "automated": {"prune": True, "selfHeal": True},
            "retry": RETRY,
            "syncOptions": ["ServerSideApply=true", "PruneLast=true", "FailOnSharedResource=true"],
        },
    }
