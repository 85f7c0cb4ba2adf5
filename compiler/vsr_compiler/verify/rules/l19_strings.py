"""L19: names inside strings are names of something."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.extproc import cluster_of, filters
from vsr_compiler.verify.manifest import Manifest, Path, dig, rows, table, text
from vsr_compiler.verify.manifest_index import ENVOY, GATEWAY_API, ISTIO, World


def rule(world: World) -> Iterator[Diagnostic]:
    """The cluster in an EnvoyFilter is a Service and port that exist, the one in an EnvoyPatchPolicy is added there and
    leads to such a Service, and an EnvoyPatchPolicy's listener is one of a Gateway's.
    """  # noqa: D205 - the whole of it is what users read
    added = {
        text(dig(patch, "operation", "value", "name"))
        for each in world.of("EnvoyPatchPolicy", ENVOY)
        for patch in rows(each.spec.get("jsonPatches"))
        if text(patch.get("type")).endswith("Cluster")
    }
    for each in filters(world):
        cluster = cluster_of(each.config)
        if each.source.group == ISTIO and cluster:
            yield from _istio(world, each.source, (*each.path, "typed_config"), cluster, each.services)
        elif each.source.kind == "EnvoyPatchPolicy" and cluster and cluster not in added:
            message = f"the filter asks the cluster `{cluster}`, which no EnvoyPatchPolicy adds"
            hint = f"It adds {', '.join(sorted(added - {''})) or 'none'}."
            yield Diagnostic("VSR419", message, each.source.span(*each.path), hint)
    for policy in world.of("EnvoyPatchPolicy", ENVOY):
        yield from _listener(world, policy)
        yield from _addresses(world, policy)


def _addresses(world: World, policy: Manifest) -> Iterator[Diagnostic]:
    """Hosts in the clusters that a policy adds, where they are the cluster's own."""
    for path, patch in policy.each("spec", "jsonPatches"):
        where: Path = (*path, "operation", "value", "load_assignment", "endpoints")
        for outer, _ in policy.each(*where) if text(patch.get("type")).endswith("Cluster") else ():
            for inner, body in policy.each(*outer, "lb_endpoints"):
                address = table(dig(body, "endpoint", "address", "socket_address"))
                host, port = text(address.get("address")), address.get("port_value")
                found = world.service_of(host, policy.namespace) if ".svc" in host else None
                service = world.service(found[1], found[0]) if found else None
                if found is None or world.assumes("Service", found[1], found[0]):
                    continue
                if service is None:
                    message = f"{policy.title} adds a cluster at `{host}`, and there is no such Service"
                    hint = f"Mend the host, or pass --assume Service/{found[1]}/{found[0]} if it exists elsewhere."
                    yield Diagnostic("VSR419", message, policy.span(*inner), hint)
                elif port not in [each.get("port") for each in rows(service.spec.get("ports"))]:
                    message = f"{policy.title} adds a cluster at port {port} of {service.title}, which has none such"
                    yield Diagnostic("VSR419", message, policy.span(*inner), "Use the Service's port.")


def _istio(
    world: World,
    source: Manifest,
    path: tuple[str | int, ...],
    cluster: str,
    services: tuple[tuple[str, str, int | None], ...],
) -> Iterator[Diagnostic]:
    place = source.span(*path, "grpc_service", "envoy_grpc", "cluster_name")
    if not cluster.startswith(("outbound|", "outbound_.")):
        message = f"`{cluster}` is no cluster of Istio's, unless another patch adds it"
        if not _added(world, cluster):
            yield Diagnostic("VSR419", message, place, "Use outbound|PORT||NAME.NAMESPACE.svc.cluster.local.")
        return
    for namespace, name, port in services:
        service = world.service(namespace, name)
        if service is None:
            if not world.assumes("Service", namespace, name):
                message = f"{source.title} asks `{cluster}`, and there is no Service `{namespace}/{name}`"
                hint = f"Mend the name, or pass --assume Service/{namespace}/{name} if it exists elsewhere."
                yield Diagnostic("VSR419", message, place, hint)
        elif port not in [each.get("port") for each in rows(service.spec.get("ports"))]:
            message = f"{source.title} asks port {port} of {service.title}, which has none such"
            yield Diagnostic("VSR419", message, place, "Use the Service's port.")


def _added(world: World, cluster: str) -> bool:
    return any(
        patch.get("applyTo") == "CLUSTER" and dig(patch, "patch", "value", "name") == cluster
        for each in world.of("EnvoyFilter", ISTIO)
        for patch in rows(each.spec.get("configPatches"))
    )


def _listener(world: World, policy: Manifest) -> Iterator[Diagnostic]:
    ref = table(policy.spec.get("targetRef"))
    gateway = world.find(GATEWAY_API, "Gateway", policy.namespace, text(ref.get("name")))
    if gateway is None:
        return
    listeners = rows(gateway.spec.get("listeners"))
    known = {f"{gateway.namespace or 'default'}/{gateway.name}/{text(each.get('name'))}" for each in listeners}
    known |= {f"tcp-{each.get('port')}" for each in listeners}
    for path, patch in policy.each("spec", "jsonPatches"):
        name = text(patch.get("name"))
        if text(patch.get("type")).endswith("v3.Listener") and name not in known:
            message = f"{policy.title} patches the listener `{name}`, which {gateway.title} does not have"
            hint = f"Its listeners are {', '.join(sorted(known)) or 'none'}."
            yield Diagnostic("VSR419", message, policy.span(*path, "name"), hint)
