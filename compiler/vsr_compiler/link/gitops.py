"""Links ``gitops``, and checks that each controller can read the repository."""

from __future__ import annotations

import re

from vsr_compiler import ir
from vsr_compiler.link.scope import Scope
from vsr_schemas.policy import v1alpha1 as schema

_ARTIFACT = re.compile(r"oci://[a-z0-9.-]+(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)+")
"""Source: OCI distribution specification 1.1, `spec.md`, "Pulling manifests"."""


def link_gitops(scope: Scope, spec: schema.GitOpsSpec | None) -> ir.GitOps | None:
    """Return how the output is delivered; None if the policy does not say it."""
    if spec is None:
        return None
    for index, chart in enumerate(spec.charts or ()):
        if chart in (spec.charts or [])[:index]:
            scope.report("VSR205", f"duplicate entry `{chart}`", ("gitops", "charts", index), "Remove one.")
    if spec.repo.startswith(ir.OCI) and not _ARTIFACT.fullmatch(spec.repo):
        message = f"`{spec.repo}` is no name of an artifact: `oci://`, a registry and a name, without a tag"
        scope.report("VSR370", message, ("gitops", "repo"), "Write the tag or digest as `revision`.")
    return ir.GitOps(
        spec.repo,
        spec.revision,
        spec.path,
        spec.server,
        spec.namespace,
        scope.span("gitops", key=True),
        clusters={name: _cluster(scope, name, cluster) for name, cluster in sorted((spec.clusters or {}).items())},
        flux=None if spec.flux is None else _flux(scope, spec.flux),
        charts=tuple(sorted(set(spec.charts or ()))),
    )


def _cluster(scope: Scope, name: str, spec: schema.ClusterSpec) -> ir.Cluster:
    span = scope.span("gitops", "clusters", name, key=True)
    return ir.Cluster(name, spec.server or "", spec.kubeconfig or "", span)


def _flux(scope: Scope, spec: schema.FluxSpec) -> ir.Flux:
    return ir.Flux(
        spec.namespace,
        spec.interval,
        scope.span("gitops", "flux", key=True),
        secret=spec.secret or "",
        service_account=spec.service_account or "",
    )
