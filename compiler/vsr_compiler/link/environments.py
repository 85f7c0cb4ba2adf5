"""Links environments, and checks what they override."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from vsr_compiler import ir
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.ir.placement import EnvironmentPlacement
from vsr_compiler.link.attachment import link_attachment
from vsr_compiler.link.candidate import link_candidate
from vsr_compiler.link.hosts import link_host
from vsr_compiler.link.listeners import hostnames_of
from vsr_compiler.link.placement import (
    PICKER_VARIABLES,
    ROUTER_VARIABLES,
    SERVER_VARIABLES,
    check_device,
    link_placement,
    link_resources,
)
from vsr_compiler.link.rollout import link_rollout
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema

Profiles = Mapping[str, Mapping[str, str]]
"""The releases that go together, by project, in each profile."""
ROUTER = "router"
"""The key of an environment's maps that means the router."""
PICKERS = "pickers"
"""The key of `placement` that means all endpoint pickers."""


def link_environments(
    scope: Scope, policy: schema.PolicySpec, profiles: Profiles, clusters: Mapping[str, ir.Cluster]
) -> tuple[ir.Environment, ...]:
    """Return all environments, sorted by name."""
    linked = []
    for name, spec in sorted(policy.environments.items()):
        environment = _environment(scope, policy, profiles, name, spec)
        cluster = clusters.get(scope.clusters[name][1]) if name in scope.clusters else None
        if cluster is not None:
            environment = replace(environment, cluster=cluster, server=cluster.server or None)
        linked.append(environment)
    return tuple(linked)


def _environment(
    scope: Scope, policy: schema.PolicySpec, profiles: Profiles, name: str, spec: schema.EnvironmentSpec
) -> ir.Environment:
    path = ("environments", name)
    servers = {endpoint for endpoint, kind in policy.endpoints.items() if kind.vllm is not None}
    for key in ("replicas", "images", "resources"):
        _known(scope, policy, getattr(spec, key), servers, (*path, key))
    _known(scope, policy, [key for key in spec.placement if key != PICKERS], servers, (*path, "placement"))
    resources = {
        key: link_resources(scope, own, (*path, "resources", key)) for key, own in sorted(spec.resources.items())
    }
    for key, image in spec.images.items():
        check_image(scope, image, (*path, "images", key))
    issuer = spec.identity or schema.EnvironmentIdentitySpec()
    if spec.identity is not None and (policy.identity is None or policy.identity.jwt is None):
        message = "`identity` of an environment replaces parts of `identity.jwt`, which the policy does not have"
        scope.report("VSR293", message, (*path, "identity"), "Remove it, or add `identity.jwt`.", key=True)
    versions = spec.versions if spec.versions is not None else policy.gateway.versions
    return ir.Environment(
        name,
        spec.target,
        scope.span(*path, key=True),
        simulate=spec.simulate,
        replicas=dict(sorted(spec.replicas.items())),
        images=dict(sorted(spec.images.items())),
        resources={key: own for key, own in resources.items() if own is not None},
        placement={
            key: _placement(scope, policy, spec, key, (*path, "placement", key)) for key in sorted(spec.placement)
        },
        device=spec.device,
        rollout=spec.rollout
        if spec.rollout is None or isinstance(spec.rollout, str)
        else link_rollout(scope, spec.rollout, (*path, "rollout")),
        region=spec.region,
        candidate=link_candidate(scope, spec.candidate, (*path, "candidate")),
        server=spec.server,
        host=link_host(scope, policy, spec, path),
        gateway_name=spec.gateway.name,
        gateway_namespace=spec.gateway.namespace,
        hostnames=hostnames_of(spec),
        attachment=link_attachment(scope, spec, path),
        issuer=issuer.issuer,
        audiences=tuple(issuer.audiences or ()),
        jwks_uri=issuer.jwks_uri,
        versions=link_versions(
            scope, versions, (*path, "versions") if spec.versions is not None else ("gateway", "versions"), profiles
        ),
    )


def link_versions(scope: Scope, given: str | dict[str, str], path: Path, profiles: Profiles) -> Mapping[str, str]:
    """Return releases by project: those of a profile, or those of the default profile with some replaced."""
    if isinstance(given, str):
        if given not in profiles:
            hint = (
                suggest(given, sorted(profiles))
                or f"Use one of: {', '.join(f'`{name}`' for name in sorted(profiles))}."
            )
            scope.report("VSR201", f"profile `{given}` is not defined", path, hint)
            return profiles["current"]
        return profiles[given]
    known = profiles["current"]
    for project in given:
        scope.resolve(known, project, "project", (*path, project), key=True)
    return {**known, **given}


def _known(scope: Scope, policy: schema.PolicySpec, overridden: Iterable[str], servers: set[str], path: Path) -> None:
    """Check that overrides are for the router or for a server that the compiler writes."""
    for key in overridden:
        if key == ROUTER or key in servers:
            continue
        if key in policy.endpoints:
            hint = "Change them where they are defined."
            scope.report(
                "VSR225", f"the pods of endpoint `{key}` are not written by the compiler", (*path, key), hint, key=True
            )
        else:
            scope.resolve(dict.fromkeys((*sorted(servers), ROUTER)), key, "endpoint", (*path, key), key=True)


def _placement(
    scope: Scope, policy: schema.PolicySpec, environment: schema.EnvironmentSpec, key: str, path: Path
) -> EnvironmentPlacement:
    """Return the words of an environment for some pods, and report those that the pods cannot have."""
    spec = environment.placement[key]
    kind = key if key in {ROUTER, PICKERS} else "server"
    own = {ROUTER: ROUTER_VARIABLES, PICKERS: PICKER_VARIABLES}.get(kind, SERVER_VARIABLES)
    written = policy.endpoints[key].vllm if kind == "server" and key in policy.endpoints else None
    if written is not None:
        image = environment.images.get(key, written.image)
        check_device(scope, spec.device, image, (*path, "device"), written.gpus)
        if spec.storage_class is not None and written.weights is not None:
            message = "`weights.pvc` exists, so it has no `storageClass`"
            scope.report("VSR104", message, (*path, "storageClass"))
    elif kind != "server" and spec.device is not None:
        hint = "Set `gpus` of the router instead." if kind == ROUTER else "Remove it."
        scope.report("VSR267", f"`device` is only for model servers, not for `{key}`", (*path, "device"), hint)
    if kind == PICKERS and spec.storage_class is not None:
        scope.report("VSR104", "endpoint pickers have no volume", (*path, "storageClass"))
    return EnvironmentPlacement(link_placement(scope, spec, path, own), spec.device, scope.span(*path, key=True))


def check_image(scope: Scope, image: str, path: Path) -> None:
    """Report a tag that does not pin a version."""
    name, _, digest = image.partition("@")
    tag = name.rsplit("/", 1)[-1].partition(":")[2]
    if not digest and tag in {"", "latest", "main", "master", "dev", "nightly", "edge", "stable"}:
        subject = f"the tag `{tag}`" if tag else "an image without a tag"
        hint = "Use a release tag, or a digest: `name@sha256:…`."
        scope.report("VSR226", f"{subject} does not pin a version", path, hint)
