"""The folder ``flux/``: for each environment a folder with a source and a Kustomization for each step of a rollout.

``flux/<environment>/`` is for the Flux that applies this environment. ``flux/`` itself is for a Flux that reaches other
clusters by their kubeconfigs: it contains the environments of those clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from vsr_compiler import ir
from vsr_compiler.deploy.argocd.applications import application_name, output, source_path
from vsr_compiler.deploy.argocd.charts import Charts
from vsr_compiler.deploy.flux import sources
from vsr_compiler.deploy.flux.charts import releases as charts_of
from vsr_compiler.deploy.flux.health import checks
from vsr_compiler.deploy.flux.steps import Step, steps
from vsr_compiler.deploy.overlays import kustomization
from vsr_compiler.diagnostics import CompileError, Diagnostic
from vsr_compiler.manifests.kinds import ARGO_GROUP
from vsr_compiler.manifests.objects import Body, Object, emitted_by, make

FOLDER = "flux"
CHARTS = "charts"
API = "kustomize.toolkit.fluxcd.io/v1"
TIMEOUT = "1h"
"""As long as a model server may load; see `progressDeadlineSeconds` of its Deployment."""
MAX_NAME = 63
"""Flux writes the name of a Kustomization into a label of every object."""
_DELETE = "$patch: delete\napiVersion: v1\nkind: Any\nmetadata: {name: any}\n"


@dataclass(frozen=True, slots=True)
class FluxFiles:
    """The files of ``flux/`` by their path below the policy's output."""

    objects: dict[str, Object] = field(default_factory=dict)
    kustomizations: dict[str, Body] = field(default_factory=dict)


def emit(
    policy: ir.Policy, environments: Mapping[str, Sequence[Object]], charts: Charts = MappingProxyType({})
) -> FluxFiles:
    """Return the files for Flux; none if the policy does not use it.

    Raises:
        CompileError: VSR369 or VSR370 if Flux cannot take a name, the repository or the revision.
    """
    gitops = policy.gitops
    if gitops is None or gitops.flux is None:
        return FluxFiles()
    if problems := [*sources.check(gitops), *_long_names(policy)]:
        raise CompileError(problems)
    result = FluxFiles()
    remote = []
    for environment in policy.environments:
        folder = f"{FOLDER}/{environment.name}"
        own = charts.get(environment.name, ())
        releases = charts_of(policy, gitops.flux, environment, own, duration(gitops.flux.interval), TIMEOUT)
        made = _environment(policy, gitops, gitops.flux, environment, environments[environment.name], bool(own))
        for place, items in ((folder, made), (f"{folder}/{CHARTS}", releases)):
            names = {f"{item.kind.lower()}-{item.name}.yaml": item for item in emitted_by(emit, items)}
            result.objects.update({f"{place}/{name}": item for name, item in names.items()})
            if names:
                result.kustomizations[f"{place}/kustomization.yaml"] = kustomization(names)
        if environment.cluster is not None and environment.cluster.kubeconfig:
            remote.append(environment.name)
    if remote:
        result.kustomizations[f"{FOLDER}/kustomization.yaml"] = kustomization(remote)
    return result


def _environment(
    policy: ir.Policy,
    gitops: ir.GitOps,
    flux: ir.Flux,
    environment: ir.Environment,
    objects: Sequence[Object],
    has_charts: bool,  # noqa: FBT001 - of the caller's loop
) -> Iterator[Object]:
    """Yield the source of an environment and its Kustomizations."""
    source = sources.source(
        application_name(policy, environment.name), gitops, flux, environment.span, duration(flux.interval)
    )
    yield source
    before: Object | None = None
    if has_charts:
        before = _of_charts(policy, gitops, flux, environment, source)
        yield before
    for step in steps(objects):
        before = _kustomization(policy, gitops, flux, environment, step, source, before)
        yield before


def _kustomization(
    policy: ir.Policy,
    gitops: ir.GitOps,
    flux: ir.Flux,
    environment: ir.Environment,
    step: Step,
    source: Object,
    before: Object | None,
) -> Object:
    spec: Body = {
        "interval": duration(flux.interval),
        "retryInterval": "1m",
        "timeout": _timeout(step),
        "sourceRef": {"kind": source.kind, "name": source.name},
        "path": f"./{source_path(policy, gitops, environment)}",
        "patches": [{"target": {"labelSelector": step.others}, "patch": _DELETE}],
        "prune": True,
        "wait": True,
        "force": False,
        # If the Kustomization disappears, the gateway must stay.
        "deletionPolicy": "Orphan",
    }
    if exprs := checks(step.objects):
        spec["healthCheckExprs"] = exprs
    if before is not None:
        spec["dependsOn"] = [{"name": before.name}]
    if flux.service_account:
        spec["serviceAccountName"] = flux.service_account
    if environment.cluster is not None and environment.cluster.kubeconfig:
        spec["kubeConfig"] = {"secretRef": {"name": environment.cluster.kubeconfig}}
    name = f"{application_name(policy, environment.name)}-{step.name}"
    return make(API, "Kustomization", name, environment.span, namespace=flux.namespace, spec=spec)


def _timeout(step: Step) -> str:
    """Return how long Flux waits for a step; a Rollout of the router needs its pauses as well."""
    pauses = sum(
        int(part["pause"]["duration"].removesuffix("s"))
        for item in step.objects
        if item.group_kind == (ARGO_GROUP, "Rollout")
        for part in item.body["spec"]["strategy"]["canary"]["steps"]
        if "pause" in part
    )
    return TIMEOUT if not pauses else f"{60 + -(-pauses // 60)}m"


def _of_charts(
    policy: ir.Policy, gitops: ir.GitOps, flux: ir.Flux, environment: ir.Environment, source: Object
) -> Object:
    """Return the Kustomization of the charts. It does not prune: a controller takes its kinds with it."""
    folder = f"{FOLDER}/{environment.name}/{CHARTS}"
    spec: Body = {
        "interval": duration(flux.interval),
        "retryInterval": "1m",
        "timeout": TIMEOUT,
        "sourceRef": {"kind": source.kind, "name": source.name},
        "path": f"./{folder if gitops.is_artifact else f'{output(policy, gitops)}/{folder}'}",
        "prune": False,
        "wait": True,
        "force": False,
        "deletionPolicy": "Orphan",
    }
    if flux.service_account:
        spec["serviceAccountName"] = flux.service_account
    name = f"{application_name(policy, environment.name)}-{CHARTS}"
    return make(API, "Kustomization", name, environment.span, namespace=flux.namespace, spec=spec)


def _long_names(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR369 for an environment whose Kustomizations or HelmReleases would have a name that is no label."""
    charts = policy.gitops.charts if policy.gitops is not None else ()
    longest = max(("servers", *charts), key=len)
    for environment in policy.environments:
        name = f"{application_name(policy, environment.name)}-{longest}"
        if len(name) > MAX_NAME:
            message = f"an object of Flux would be called `{name}`, which is longer than {MAX_NAME} characters"
            yield Diagnostic("VSR369", message, environment.span, "Shorten the name of the policy or the environment.")


def duration(milliseconds: int) -> str:
    """Return a duration as Flux writes it.

    >>> duration(600_000), duration(5_400_000), duration(90_000)
    ('10m', '90m', '90s')
    """
    seconds = milliseconds // 1000
    return f"{seconds // 60}m" if seconds % 60 == 0 else f"{seconds}s"
