"""The folder ``argocd/``: Kubernetes objects only, in two forms of which a cluster applies one.

``argocd/`` itself is the project and an Application an environment; ``argocd/applicationset/`` is the project and the
set. The Applications bear the same names in both, so whoever applies both still gets each once. ``argocd/settings/`` is
for Argo CD's own ConfigMap and is applied by itself, on the server's side.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from vsr_compiler import ir
from vsr_compiler.deploy.argocd.applications import application, application_set, output
from vsr_compiler.deploy.argocd.health import customizations
from vsr_compiler.deploy.argocd.project import project
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
    """The files of ``argocd/`` by their path below the policy's output, and what is to be said about them."""

    objects: dict[str, Object]
    kustomizations: dict[str, Body]
    warnings: tuple[Diagnostic, ...]


def emit(policy: ir.Policy, environments: Environments) -> ArgoCd:
    """Everything for Argo CD.

    Raises:
        CompileError: VSR302 where ``gitops.path`` leads outside the repository.
    """
    gitops = policy.gitops or _placeholder(policy)
    found = [item for objects in environments.values() for item in objects]
    allowed = project(policy, gitops, found)
    applications = [application(policy, gitops, environment) for environment in policy.environments]
    every = application_set(policy, gitops)
    objects = {_file("project", allowed): allowed, _file("applicationset", every): every}
    objects |= {_file("", item): item for item in applications}
    if checks := customizations(found):
        settings = _settings(gitops, checks)
        objects[_file("settings", settings)] = settings
    kustomizations = {
        f"{FOLDER}/kustomization.yaml": kustomization(["project", *(_name(item) for item in applications)]),
        f"{FOLDER}/project/kustomization.yaml": kustomization([_name(allowed)]),
        f"{FOLDER}/applicationset/kustomization.yaml": kustomization(["../project", _name(every)]),
    }
    recorded = dict(zip(objects, emitted_by(emit, objects.values()), strict=True))
    return ArgoCd(recorded, kustomizations, tuple(_findings(policy, gitops, environments)))


def _placeholder(policy: ir.Policy) -> ir.GitOps:
    return ir.GitOps(PLACEHOLDER, "main", ".", IN_CLUSTER, "argocd", policy.span)


def _findings(policy: ir.Policy, gitops: ir.GitOps, environments: Environments) -> Iterator[Diagnostic]:
    if output(policy, gitops).startswith("../"):
        message = f"`gitops.path` leads outside the repository: `{gitops.path}`"
        raise CompileError([Diagnostic("VSR302", message, gitops.span, "Name a folder of the repository.")])
    if policy.gitops is None:
        message = f"the policy names no repository, so Argo CD's objects name a placeholder, {PLACEHOLDER}"
        yield Diagnostic("VSR301", message, _first_line(policy), "Add `gitops: {repo: ...}`.")
        return
    names = {name: {item.identity for item in objects} for name, objects in environments.items()}
    for group in rivals(names):
        message = f"the environments {listed(group, 'and')} hold the same objects, so a cluster can run only one"
        yield Diagnostic("VSR303", message, gitops.span, f"Apply the Application of {listed(group, 'or')}.")


def _first_line(policy: ir.Policy) -> Span:
    """Where something is missing: the first line, since what should have a line of its own has none."""
    span = policy.span
    return Span(span.file, span.line, span.column, span.line, span.column + 1)


def rivals(names: dict[str, set[str]]) -> Iterator[list[str]]:
    """Environments of which any two hold an object of one name: each such pair is in a group, and groups are few."""
    pairs = {frozenset(pair) for pair in combinations(names, 2) if names[pair[0]] & names[pair[1]]}
    told: set[frozenset[str]] = set()
    for pair in sorted(pairs, key=sorted):
        if pair in told:
            continue
        group = sorted(pair)
        group += [name for name in sorted(names) if all(frozenset({name, member}) in pairs for member in group)]
        told |= {frozenset(each) for each in combinations(group, 2)}
        yield sorted(group)


def listed(names: list[str], word: str) -> str:
    """Names as a sentence has them: ``a, b and c``."""
    *others, last = (f"`{name}`" for name in names)
    return f"{', '.join(others)} {word} {last}"


def _settings(gitops: ir.GitOps, checks: dict[str, str]) -> Object:
    """A part of Argo CD's ConfigMap. It bears no label of ours: the object is not ours, these keys are."""
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
