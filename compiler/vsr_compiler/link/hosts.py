"""Links the machines of environments with the target `compose`."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.ir.hosts import COMPOSE, Host
from vsr_compiler.link.scope import Scope
from vsr_compiler.syntax.document import Path
from vsr_schemas.policy import v1alpha1 as schema


def link_host(scope: Scope, policy: schema.PolicySpec, spec: schema.EnvironmentSpec, path: Path) -> Host | None:
    """Return the machine of an environment; None if it is a cluster. VSR365 for words that the other kind has."""
    if spec.target != COMPOSE:
        if spec.host is not None:
            message = f"`host` is a machine of the target `{COMPOSE}`, and this environment is a cluster"
            scope.report("VSR365", message, (*path, "host"), "Remove it, or use that target.", key=True)
        return None
    if path[-1] in scope.clusters:
        message = f"`clusters` are several, and the target `{COMPOSE}` is one machine"
        written_name, _ = scope.clusters[str(path[-1])]
        scope.report("VSR365", message, (*path[:1], written_name, "clusters"), "Remove it.", key=True)
    written = {
        "server": spec.server,
        "gateway.name": spec.gateway.name,
        "gateway.namespace": spec.gateway.namespace,
    }
    for name, value in written.items():
        if value is not None:
            message = f"`{name}` is about a cluster, and the target `{COMPOSE}` is one machine"
            scope.report("VSR365", message, (*path, *name.split(".")), "Remove it.", key=True)
    host = spec.host or schema.HostSpec()
    for name in host.endpoints:
        where = (*path, "host", "endpoints", name)
        endpoint = scope.resolve(policy.endpoints, name, "endpoint", where, key=True)
        if endpoint is not None and endpoint.external is not None:
            message = f"the provider `{name}` is reached by its `url`"
            scope.report("VSR365", message, where, "Remove it.", key=True)
    places = {name: _place(place) for name, place in sorted(host.endpoints.items())}
    return Host(host.bind, places, host.image)


def _place(text: str) -> tuple[str, int]:
    name, _, port = text.rpartition(":")
    return name, int(port)


def split(environments: tuple[ir.Environment, ...]) -> tuple[tuple[ir.Environment, ...], tuple[ir.Environment, ...]]:
    """Return the clusters and the hosts among environments."""
    clusters = tuple(item for item in environments if item.host is None)
    return clusters, tuple(item for item in environments if item.host is not None)
