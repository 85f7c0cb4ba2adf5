"""L02: references to missing objects."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, Path, as_string, as_strings, title, value_at
from vsr_compiler.verify.manifest_index import AI, ENVOY, GATEWAY_API, ISTIO, RBAC, ManifestIndex
from vsr_compiler.verify.references import Reference, references
from vsr_compiler.verify.rules.rule import LinkRule

_CLASSES = ("istio", "agentgateway", "gke-", "kgateway", "nginx", "cilium", "eg")
_ROLES = ("admin", "cluster-admin", "edit", "view", "system:")


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    noted: set[tuple[str, str, str]] = set()
    for ref in references(index):
        if index.assumes(ref.kind, ref.namespace, ref.name) or _is_external_hostname(index, ref):
            continue
        target = index.find(ref.group, ref.kind, ref.namespace, ref.name)
        if target is None and (ref.group, ref.kind) == (GATEWAY_API, "HTTPRoute"):
            # AI Gateway creates an HTTPRoute of the same name.
            target = index.find(AI, "AIGatewayRoute", ref.namespace, ref.name)
        if target is not None:
            if ref.port is not None and ref.kind == "Service":
                yield from _service_port(ref, [port for _, port in target.entries("spec", "ports")])
        elif provider := _provider(ref):
            key = (ref.kind, ref.namespace, ref.name)
            if key not in noted:
                noted.add(key)
                message = f"{title(*key)} is not among the checked objects: {provider}"
                yield Diagnostic("VSR402", message, ref.source.span(*ref.path), "", Severity.NOTE)
        else:
            yield _missing(index, ref)
    yield from _hosts(index)
    yield from _backend_ports(index)


def _service_port(ref: Reference, ports: list[dict[str, object]]) -> Iterator[Diagnostic]:
    numbers = [port.get("port") for port in ports]
    if ref.port not in numbers:
        message = f"Service `{ref.namespace}/{ref.name}` has no port {ref.port}"
        listed = ", ".join(map(str, numbers)) or "none"
        hint = f"Use a port of the Service ({listed}), not of the pod."
        yield Diagnostic("VSR402", message, ref.source.span(*ref.path), hint)


def _provider(ref: Reference) -> str:
    """Return who provides the object outside the manifests; empty if unknown."""
    if ref.kind == "Secret":
        return "create the Secret in the cluster before you apply the manifests"
    if ref.kind == "GatewayClass" and ref.name.startswith(_CLASSES):
        return "the gateway's control plane provides it"
    if ref.kind == "ServiceAccount" and ref.name == "default":
        return "every namespace has it"
    if ref.group == RBAC and ref.kind == "ClusterRole" and ref.name.startswith(_ROLES):
        return "Kubernetes provides it"
    return ""


def _missing(index: ManifestIndex, ref: Reference) -> Diagnostic:
    same_name = index.named(ref.kind, ref.name)
    elsewhere = next((manifest for manifest in same_name if manifest.group == ref.group), None)
    assume = f"--assume {'/'.join(part for part in (ref.kind, ref.namespace, ref.name) if part)}"
    hint = f"Fix the name, or pass {assume} if the object exists elsewhere."
    if elsewhere is not None:
        place = f"in `{elsewhere.namespace}`" if elsewhere.namespace else "without a namespace"
        hint = f"Fix the namespace: there is a {ref.kind} of this name {place}. Or pass {assume}."
    elif same_name:
        hint = f"Use the API group `{same_name[0].group}`, which has a {ref.kind} of this name, not `{ref.group}`."
    message = f"{ref.source.title} refers to {title(ref.kind, ref.namespace, ref.name)}, which does not exist"
    return Diagnostic("VSR402", message, ref.source.span(*ref.path), hint)


def _hosts(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Check the hosts of DestinationRules and of Envoy Gateway's Backends, which are names of Services."""
    external_hosts = _service_entry_hosts(index)
    hosts: list[tuple[Manifest, Path]] = [
        (manifest, ("spec", "host")) for manifest in index.of_kind("DestinationRule", ISTIO)
    ]
    for backend in index.of_kind("Backend", ENVOY):
        hosts += [(backend, (*path, "fqdn", "hostname")) for path, _ in backend.entries("spec", "endpoints")]
    for manifest, path in hosts:
        host = as_string(manifest.at(*path))
        if manifest.group == ENVOY and not host.endswith((".svc", ".svc.cluster.local")):
            continue
        service = index.service_of_host(host, manifest.namespace)
        if service is None or "*" in host or not host:
            continue
        name, namespace = service
        if host in external_hosts or index.service(namespace, name) or index.assumes("Service", namespace, name):
            continue
        if _may_be_external(host):
            continue
        hint = f"Fix the host, or pass --assume Service/{namespace}/{name} if the Service exists elsewhere."
        message = f"{manifest.title} has the host `{host}`, but there is no such Service"
        yield Diagnostic("VSR402", message, manifest.span(*path), hint)


def _backend_ports(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Check that a Backend with the host of a Service uses a port of the Service, not of the pods."""
    for backend in index.of_kind("Backend", ENVOY):
        for path, body in backend.entries("spec", "endpoints"):
            host, port = as_string(value_at(body, "fqdn", "hostname")), value_at(body, "fqdn", "port")
            names = index.service_of_host(host, backend.namespace) if ".svc" in host else None
            service = index.service(names[1], names[0]) if names else None
            if service is not None and port not in [item.get("port") for _, item in service.entries("spec", "ports")]:
                message = f"{backend.title} uses port {port}, which {service.title} does not have"
                yield Diagnostic("VSR402", message, backend.span(*path, "fqdn"), "Use a port of the Service.")


def _service_entry_hosts(index: ManifestIndex) -> set[str]:
    """Return the hosts of ServiceEntries."""
    return {host for entry in index.of_kind("ServiceEntry", ISTIO) for host in as_strings(entry.spec.get("hosts"))}


def _is_external_hostname(index: ManifestIndex, ref: Reference) -> bool:
    """Whether a reference is a Hostname, which is not an object, and a ServiceEntry has this host."""
    return ref.kind == "Hostname" and ref.group == ISTIO and ref.name in _service_entry_hosts(index)


def _may_be_external(host: str) -> bool:
    """Whether a host of two labels, such as `example.com`, may be outside the cluster."""
    return host.count(".") == 1 and ".svc" not in host


RULE = LinkRule(
    name="L02",
    code="VSR402",
    purpose="Every object to which another one refers is among the checked objects or is passed by `--assume`, and a "
    "Service has the port that the reference uses. Objects that every cluster provides (GatewayClasses, Secrets, "
    "built-in roles) only produce notes.",
    check=_check,
)
