"""The folder ``argocd/``, in two forms of which an Argo CD needs one.

``argocd/`` is the project with one Application per environment; ``argocd/applicationset/`` is the project with an
ApplicationSet. The Applications have the same names in both forms, so applying both creates each once. Environments
that would overwrite each other's objects in one cluster are in neither: users apply the file of one of them.
``argocd/settings/`` is a part of Argo CD's own ConfigMap, to be applied with ``--server-side``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from types import MappingProxyType

from vsr_compiler import ir
from vsr_compiler.deploy.argocd.applications import (
    application,
    application_set,
    cluster_of,
    destination,
    destination_namespace,
    output,
)
from vsr_compiler.deploy.argocd.charts import Charts, controllers, serving
from vsr_compiler.deploy.argocd.health import customizations
from vsr_compiler.deploy.argocd.project import Place, project
from vsr_compiler.deploy.overlays import kustomization
from vsr_compiler.diagnostics import CompileError, Diagnostic, Span
from vsr_compiler.manifests.objects import Body, Object, emitted_by

FOLDER = "argocd"
PLACEHOLDER = "https://git.example.com/you/routing.git"
IN_CLUSTER = "https://kubernetes.default.svc"
Environments = Mapping[str, Sequence[Object]]
"""The objects of each environment by its name."""


@dataclass(frozen=True, slots=True)
class ArgoCd:
    """The files of ``argocd/`` by their path below the policy's output, and warnings."""

    objects: dict[str, Object]
    kustomizations: dict[str, Body]
    warnings: tuple[Diagnostic, ...]


NOTHING = ArgoCd({}, {}, ())
"""For a policy without clusters."""


def emit(policy: ir.Policy, environments: Environments, charts: Charts = MappingProxyType({})) -> ArgoCd:
    """Return the files for Argo CD.

    Raises:
        CompileError: VSR302 if ``gitops.path`` leads outside the repository.
    """
    gitops = policy.gitops or _placeholder(policy)
    everything = [item for objects in environments.values() for item in objects]
    sources = serving(policy, gitops, charts)
    allowed = project(policy, gitops, _namespaces(policy, gitops, environments), _repositories(sources))
    clashes = _clashes(policy, gitops, environments)
    alone = {name for group in clashes for name in group}
    together = [environment for environment in policy.environments if environment.name not in alone]
    applications = {
        environment.name: application(policy, gitops, environment, sources.get(environment.name, ()))
        for environment in policy.environments
    }
    generator = application_set(policy, gitops, together, sources)
    objects = {_file("project", allowed): allowed, _file("applicationset", generator): generator}
    objects |= {_file("", item): item for item in applications.values()}
    installers = {_file("charts", item): item for item in controllers(policy, gitops, charts)}
    objects |= installers
    if checks := customizations(everything):
        settings = _settings(gitops, checks)
        objects[_file("settings", settings)] = settings
    kustomizations = {
        f"{FOLDER}/kustomization.yaml": kustomization(
            ["project", *(_name(applications[environment.name]) for environment in together)]
        ),
        f"{FOLDER}/project/kustomization.yaml": kustomization([_name(allowed)]),
        f"{FOLDER}/applicationset/kustomization.yaml": kustomization(["../project", _name(generator)]),
    }
    if installers:
        names = [path.rpartition("/")[2] for path in installers]
        kustomizations[f"{FOLDER}/charts/kustomization.yaml"] = kustomization(names)
    recorded = dict(zip(objects, emitted_by(emit, objects.values()), strict=True))
    return ArgoCd(recorded, kustomizations, tuple(_findings(policy, gitops, clashes)))


def _repositories(sources: Mapping[str, Sequence[Body]]) -> set[str]:
    return {str(source["repoURL"]) for own in sources.values() for source in own}


def _placeholder(policy: ir.Policy) -> ir.GitOps:
    return ir.GitOps(PLACEHOLDER, "main", ".", IN_CLUSTER, "argocd", policy.span)


def _namespaces(policy: ir.Policy, gitops: ir.GitOps, environments: Environments) -> dict[Place, set[str]]:
    """Return the namespaces that the Applications need, by cluster, on whatever target."""
    models = {endpoint.service.namespace for endpoint in policy.endpoints if endpoint.provider is None}
    servers: dict[Place, set[str]] = {}
    for environment in policy.environments:
        (place,) = destination(gitops, environment).items()
        namespaces = servers.setdefault(place, set())
        namespaces |= {item.namespace for item in environments[environment.name] if item.namespace}
        namespaces |= models | {destination_namespace(policy, environment)}
    return servers or {("server", gitops.server): {policy.gateway.namespace}}


def _clashes(policy: ir.Policy, gitops: ir.GitOps, environments: Environments) -> list[list[str]]:
    """Return groups of environments with the same cluster and objects."""
    clusters: dict[str, dict[str, set[str]]] = {}
    for environment in policy.environments:
        identities = {item.identity for item in environments[environment.name]}
        clusters.setdefault(cluster_of(gitops, environment), {})[environment.name] = identities
    return [group for names in clusters.values() for group in conflicts(names)]


def _findings(policy: ir.Policy, gitops: ir.GitOps, clashes: list[list[str]]) -> Iterator[Diagnostic]:
    if output(policy, gitops).startswith("../"):
        message = f"`gitops.path` is outside the repository: `{gitops.path}`"
        raise CompileError([Diagnostic("VSR302", message, gitops.span, "Use a folder of the repository.")])
    if policy.gitops is None:
        message = f"the policy names no repository, so Argo CD's objects name a placeholder, {PLACEHOLDER}"
        yield Diagnostic("VSR301", message, _first_line(policy), "Add `gitops: {repo: ...}`.")
        return
    folder = f"out/{policy.name}/{FOLDER}"
    for group in clashes:
        message = (
            f"the environments {listed(group, 'and')} hold the same objects and have the same cluster, so only one of "
            f"them can run: `kubectl apply -k {folder}` and `kubectl apply -k {folder}/applicationset` leave them out"
        )
        hint = (
            f"Give each a `server` of its own, or apply one of them: `kubectl apply -k {folder}/project`, then "
            f"`kubectl apply -f {folder}/application-{policy.name}-<environment>.yaml`."
        )
        yield Diagnostic("VSR303", message, gitops.span, hint)


def _first_line(policy: ir.Policy) -> Span:
    """Return the first line of the policy, for a finding about a missing entry."""
    span = policy.span
    return Span(span.file, span.line, span.column, span.line, span.column + 1)


def conflicts(names: dict[str, set[str]]) -> Iterator[list[str]]:
    """Yield groups of environments in which any two share an object. Every such pair is in a group."""
    pairs = {frozenset(pair) for pair in combinations(names, 2) if names[pair[0]] & names[pair[1]]}
    covered: set[frozenset[str]] = set()
    for pair in sorted(pairs, key=sorted):
        if pair in covered:
            continue
        group = sorted(pair)
        group += [name for name in sorted(names) if all(frozenset({name, member}) in pairs for member in group)]
        covered |= {frozenset(members) for members in combinations(group, 2)}
        yield sorted(group)


def listed(names: list[str], word: str) -> str:
    """Return names as an enumeration: ``a, b and c``."""
    *others, last = (f"`{name}`" for name in names)
    return f"{', '.join(others)} {word} {last}"


def _settings(gitops: ir.GitOps, checks: dict[str, str]) -> Object:
    """Return a part of Argo CD's ConfigMap. It has no label of ours, since only these keys are ours."""
    metadata = {
        "name": "argocd-cm",
        "namespace": gitops.namespace,
        "labels": {"app.kubernetes.io/name": "argocd-cm", "app.kubernetes.io/part-of": "argocd"},
    }
    return Object({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": checks}, gitops.span)


def _name(item: Object) -> str:
    return f"{item.kind.lower()}-{item.name}.yaml"


def _file(folder: str, item: Object) -> str:
    return "/".join(part for part in (FOLDER, folder, _name(item)) if part)
