"""Environments: what they scale and place, checked against what the policy has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vsr_compiler import ir
from vsr_compiler.diagnostics.suggestions import suggest
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema
from vsr_schemas.quantities import amount, is_device

Profiles = Mapping[str, Mapping[str, str]]
"""The releases that go together, by project, in each profile."""
ROUTER = "router"
"""The key under which an environment speaks of the router."""


def link_environments(scope: Scope, policy: schema.PolicySpec, profiles: Profiles) -> tuple[ir.Environment, ...]:
    """All environments, sorted by name."""
    return tuple(
        _environment(scope, policy, profiles, name, spec) for name, spec in sorted(policy.environments.items())
    )


def _environment(
    scope: Scope, policy: schema.PolicySpec, profiles: Profiles, name: str, spec: schema.EnvironmentSpec
) -> ir.Environment:
    path = ("environments", name)
    servers = {endpoint for endpoint, given in policy.endpoints.items() if given.vllm is not None}
    for key in ("replicas", "images", "resources"):
        _known(scope, policy, getattr(spec, key), servers, (*path, key))
    for key, given in spec.resources.items():
        _resources(scope, given, (*path, "resources", key))
    for key, image in spec.images.items():
        check_image(scope, image, (*path, "images", key))
    versions = spec.versions if spec.versions is not None else policy.gateway.versions
    return ir.Environment(
        name,
        spec.target,
        scope.span(*path, key=True),
        simulate=spec.simulate,
        replicas=dict(sorted(spec.replicas.items())),
        images=dict(sorted(spec.images.items())),
        resources={key: ir.Resources(each.requests, each.limits) for key, each in sorted(spec.resources.items())},
        device=spec.device,
        gateway_name=spec.gateway.name,
        gateway_namespace=spec.gateway.namespace,
        versions=link_versions(
            scope, versions, (*path, "versions") if spec.versions is not None else ("gateway", "versions"), profiles
        ),
    )


def link_versions(scope: Scope, given: str | dict[str, str], path: Path, profiles: Profiles) -> Mapping[str, str]:
    """Releases by project: a profile's, or the default profile's with some replaced."""
    if isinstance(given, str):
        if given not in profiles:
            hint = suggest(given, sorted(profiles))
            scope.report("VSR201", f"there is no profile named `{given}`", path, hint)
            return profiles["current"]
        return profiles[given]
    known = profiles["current"]
    for project in given:
        scope.resolve(known, project, "project", (*path, project), key=True)
    return {**known, **given}


def _known(scope: Scope, policy: schema.PolicySpec, given: Iterable[str], servers: set[str], path: Path) -> None:
    """What is scaled or replaced is the router, or a server that the compiler writes."""
    for key in given:
        if key == ROUTER or key in servers:
            continue
        if key in policy.endpoints:
            hint = "Its pods are not the compiler's; scale them where they are defined."
            scope.report("VSR225", f"the compiler does not write the pods of `{key}`", (*path, key), hint, key=True)
        else:
            scope.resolve(dict.fromkeys((*sorted(servers), ROUTER)), key, "endpoint", (*path, key), key=True)


def _resources(scope: Scope, given: schema.ResourcesSpec, path: Path) -> None:
    """What no API server takes: devices in parts, and more asked for than allowed."""
    for key, said in (("requests", given.requests), ("limits", given.limits)):
        for name, text in said.items():
            if is_device(name) and not text.isdecimal():
                scope.report("VSR104", "expected a whole number of devices", (*path, key, name))
    for name in given.requests.keys() & given.limits.keys():
        request, limit = given.requests[name], given.limits[name]
        over = (amount(request) or 0) - (amount(limit) or 0)
        if over > 0 or (over and is_device(name)):
            hint = "Of devices both are the same." if is_device(name) else "Lower the request, or raise the limit."
            message = f"`{request}` of `{name}` are asked for, and `{limit}` allowed"
            scope.report("VSR228", message, (*path, "requests", name), hint)


def check_image(scope: Scope, image: str, path: Path) -> None:
    """A tag that may mean another image tomorrow is no version."""
    name, _, digest = image.partition("@")
    tag = name.rsplit("/", 1)[-1].partition(":")[2]
    if not digest and tag in {"", "latest", "main", "master", "dev", "nightly", "edge", "stable"}:
        what = f"the tag `{tag}` is" if tag else "an image without a tag is"
        hint = "Name a release, or a digest: `name@sha256:…`."
        scope.report("VSR226", f"{what} not the same image tomorrow", path, hint)
