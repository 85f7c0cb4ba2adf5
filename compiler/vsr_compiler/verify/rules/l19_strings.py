"""L19: names inside strings that refer to nothing."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.verify.completeness import provider
from vsr_compiler.verify.ext_proc import ExtProcFilter, cluster_name, ext_proc_filters
from vsr_compiler.verify.listeners import listeners_of, xds_listener
from vsr_compiler.verify.manifest import Manifest, Path, as_mapping, as_mappings, as_string, value_at
from vsr_compiler.verify.manifest_index import ENVOY, GATEWAY_API, ISTIO, ManifestIndex
from vsr_compiler.verify.references import Reference
from vsr_compiler.verify.rules.rule import LinkRule


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    added = {
        as_string(value_at(patch, "operation", "value", "name"))
        for policy in index.of_kind("EnvoyPatchPolicy", ENVOY)
        for patch in as_mappings(policy.spec.get("jsonPatches"))
        if as_string(patch.get("type")).endswith("Cluster")
    }
    for processor in ext_proc_filters(index):
        source, cluster = processor.source, cluster_name(processor.config)
        if source.group == ISTIO and cluster:
            yield from _istio_cluster(index, processor, cluster)
        elif source.kind == "EnvoyPatchPolicy" and cluster and cluster not in added:
            message = f"the filter calls the cluster `{cluster}`, which no EnvoyPatchPolicy adds"
            hint = f"Add the cluster, or use one of: {', '.join(sorted(added - {''})) or 'none is added'}."
            yield Diagnostic("VSR419", message, source.span(*processor.path), hint)
    for policy in index.of_kind("EnvoyPatchPolicy", ENVOY):
        yield from _listener(index, policy)
        yield from _cluster_addresses(index, policy)


def _cluster_addresses(index: ManifestIndex, policy: Manifest) -> Iterator[Diagnostic]:
    """Check the hosts of clusters that a policy adds, as far as they are Services."""
    for path, patch in policy.entries("spec", "jsonPatches"):
        endpoints: Path = (*path, "operation", "value", "load_assignment", "endpoints")
        for locality, _ in policy.entries(*endpoints) if as_string(patch.get("type")).endswith("Cluster") else ():
            for endpoint, body in policy.entries(*locality, "lb_endpoints"):
                address = as_mapping(value_at(body, "endpoint", "address", "socket_address"))
                host, port = as_string(address.get("address")), address.get("port_value")
                names = index.service_of_host(host, policy.namespace) if ".svc" in host else None
                service = index.service(names[1], names[0]) if names else None
                if names is None or index.assumes("Service", names[1], names[0]):
                    continue
                span = policy.span(*endpoint)
                if service is None:
                    if provider(index, Reference(policy, endpoint, "", "Service", names[1], names[0])):
                        continue
                    message = f"{policy.title} adds a cluster with the host `{host}`, but there is no such Service"
                    hint = f"Fix the host, or pass --assume Service/{names[1]}/{names[0]} if it exists elsewhere."
                    yield Diagnostic("VSR419", message, span, hint)
                elif port not in _ports(service):
                    message = f"{policy.title} adds a cluster with port {port}, which {service.title} does not have"
                    yield Diagnostic("VSR419", message, span, "Use a port of the Service.")


def _istio_cluster(index: ManifestIndex, processor: ExtProcFilter, cluster: str) -> Iterator[Diagnostic]:
    source = processor.source
    span = source.span(*processor.path, "typed_config", "grpc_service", "envoy_grpc", "cluster_name")
    if not cluster.startswith(("outbound|", "outbound_.")):
        if not _is_added(index, cluster):
            message = f"`{cluster}` is not the name of an Istio cluster, and no patch adds it"
            yield Diagnostic("VSR419", message, span, "Use outbound|PORT||NAME.NAMESPACE.svc.cluster.local.")
        return
    for namespace, name, port in processor.services:
        service = index.service(namespace, name)
        if service is None:
            ref = Reference(source, processor.path, "", "Service", namespace, name)
            if not index.assumes("Service", namespace, name) and not provider(index, ref):
                message = f"{source.title} calls `{cluster}`, but there is no Service `{namespace}/{name}`"
                hint = f"Fix the name, or pass --assume Service/{namespace}/{name} if it exists elsewhere."
                yield Diagnostic("VSR419", message, span, hint)
        elif port not in _ports(service):
            message = f"{source.title} calls port {port}, which {service.title} does not have"
            yield Diagnostic("VSR419", message, span, "Use a port of the Service.")


def _ports(service: Manifest) -> list[object]:
    return [port.get("port") for port in as_mappings(service.spec.get("ports"))]


def _is_added(index: ManifestIndex, cluster: str) -> bool:
    return any(
        patch.get("applyTo") == "CLUSTER" and value_at(patch, "patch", "value", "name") == cluster
        for manifest in index.of_kind("EnvoyFilter", ISTIO)
        for patch in as_mappings(manifest.spec.get("configPatches"))
    )


def _listener(index: ManifestIndex, policy: Manifest) -> Iterator[Diagnostic]:
    ref = as_mapping(policy.spec.get("targetRef"))
    gateway = index.find(GATEWAY_API, "Gateway", policy.namespace, as_string(ref.get("name")))
    if gateway is None:
        return
    names = {
        name
        for listener in listeners_of(gateway)
        for http3 in ((False, True) if listener.has_tls else (False,))
        for name in xds_listener(listener, http3=http3).names
    }
    for path, patch in policy.entries("spec", "jsonPatches"):
        name, operation = as_string(patch.get("name")), as_mapping(patch.get("operation"))
        adds = operation.get("op") == "add" and not operation.get("path") and not operation.get("jsonPath")
        if as_string(patch.get("type")).endswith("v3.Listener") and not adds and name not in names:
            message = f"{policy.title} patches the listener `{name}`, which {gateway.title} does not have"
            hint = f"Use one of its listeners: {', '.join(sorted(names)) or 'it has none'}."
            yield Diagnostic("VSR419", message, policy.span(*path, "name"), hint)


RULE = LinkRule(
    name="L19",
    code="VSR419",
    purpose="The cluster in an EnvoyFilter is a Service with this port. The cluster in an EnvoyPatchPolicy is added "
    "there and leads to such a Service, and the listener is one of the Gateway's.",
    check=_check,
)
