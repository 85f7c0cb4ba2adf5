"""L02: references to missing objects."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.certainty import severity
from vsr_compiler.verify.completeness import is_built_in, provider
from vsr_compiler.verify.manifest import Manifest, Path, as_string, title, value_at
from vsr_compiler.verify.manifest_index import ENVOY, ISTIO, ManifestIndex
from vsr_compiler.verify.references import (
    Reference,
    port_numbers_and_names,
    references,
    service_entry_hosts,
    values_at,
)
from vsr_compiler.verify.rules.rule import LinkRule

_SHOWN = 8


def _check(index: ManifestIndex) -> Iterator[Diagnostic]:
    noted: set[tuple[str, str, str]] = set()
    for ref in references(index):
        if index.assumes(ref.kind, ref.namespace, ref.name) or _is_external_hostname(index, ref) or is_built_in(ref):
            continue
        target = index.find(ref.group, ref.kind, ref.namespace, ref.name)
        if target is not None and target.identity in index.defined_twice:
            continue
        if target is not None:
            if ref.port is not None and ref.kind == "Service":
                yield from _service_port(ref, target)
            if ref.section:
                yield from _section(ref, target)
        elif why := provider(index, ref):
            key = (ref.kind, ref.namespace, ref.name)
            if key not in noted:
                noted.add(key)
                message = f"{title(*key)} is not among the checked objects: {why}"
                yield Diagnostic("VSR402", message, ref.source.span(*ref.path), "", Severity.NOTE)
        else:
            yield _missing(index, ref)
    yield from _hosts(index)
    yield from _backend_ports(index)
    yield from _subsets(index)


def _service_port(ref: Reference, service: Manifest) -> Iterator[Diagnostic]:
    ports = [port for _, port in service.entries("spec", "ports")]
    is_open = not ports and (service.spec.get("type") == "ExternalName" or service.spec.get("clusterIP") == "None")
    if ref.port not in port_numbers_and_names(service) and not is_open:
        message = f"Service `{ref.namespace}/{ref.name}` has no port {ref.port}"
        listed = ", ".join(str(port.get("port")) for port in ports[:_SHOWN]) or "none"
        hint = f"Use a port of the Service ({listed}), not of the pod."
        yield Diagnostic("VSR402", message, ref.source.span(*ref.path), hint)


_SECTIONS = {"Gateway": "listeners", "ListenerSet": "listeners", "HTTPRoute": "rules", "Service": "ports"}


def _section(ref: Reference, target: Manifest) -> Iterator[Diagnostic]:
    """Check that the part of an object to which a policy attaches exists."""
    parts = _SECTIONS.get(ref.kind)
    entries = [part for _, part in target.entries("spec", parts)] if parts else []
    names = [as_string(part.get("name")) for part in entries] if parts else [ref.section]
    if ref.kind == "Service" and ref.section in [str(part.get("port")) for part in entries]:
        return  # Envoy Gateway takes numbers as well.
    if ref.section not in names:
        message = f"{ref.source.title} attaches to `{ref.section}` of {target.title}, which has no such part"
        named = ", ".join(name for name in names[:_SHOWN] if name) or "none has a name"
        yield Diagnostic("VSR402", message, ref.source.span(*ref.path), f"Use a name among its {parts}: {named}.")


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
    return Diagnostic("VSR402", message, ref.source.span(*ref.path), hint, severity(index, ref))


def _hosts(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Check the hosts of DestinationRules and of Envoy Gateway's Backends, which are names of Services."""
    external_hosts = service_entry_hosts(index)
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
        ref = Reference(manifest, path, "", "Service", namespace, name)
        if _may_be_external(host) or is_built_in(ref) or provider(index, ref):
            continue
        hint = f"Fix the host, or pass --assume Service/{namespace}/{name} if the Service exists elsewhere."
        message = f"{manifest.title} has the host `{host}`, but there is no such Service"
        yield Diagnostic("VSR402", message, manifest.span(*path), hint, severity(index, ref))


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


def _subsets(index: ManifestIndex) -> Iterator[Diagnostic]:
    """Check that the subsets of VirtualServices are defined by a DestinationRule for their host."""
    defined: dict[tuple[str, str] | None, set[str]] = {}
    for rule in index.of_kind("DestinationRule", ISTIO):
        host = index.service_of_host(as_string(rule.spec.get("host")), rule.namespace)
        names = {as_string(body.get("name")) for _, body in rule.entries("spec", "subsets")}
        defined.setdefault(host, set()).update(names)
    for service in index.of_kind("VirtualService", ISTIO):
        for part in ("http", "tcp", "tls"):
            for path, body in values_at(service.spec, f"{part}[].route[].destination", ("spec",)):
                subset = as_string(value_at(body, "subset"))
                host = index.service_of_host(as_string(value_at(body, "host")), service.namespace)
                if subset and host is not None and host in defined and subset not in defined[host]:
                    message = (
                        f"{service.title} routes to the subset `{subset}`, which no DestinationRule of its host has"
                    )
                    hint = (
                        f"Define it, or use one of: {', '.join(sorted(defined[host])[:_SHOWN]) or 'none is defined'}."
                    )
                    yield Diagnostic("VSR402", message, service.span(*path, "subset"), hint)


def _is_external_hostname(index: ManifestIndex, ref: Reference) -> bool:
    """Whether a reference is a Hostname, which is not an object, and a ServiceEntry has this host."""
    return ref.kind == "Hostname" and ref.group == ISTIO and ref.name in service_entry_hosts(index)


def _may_be_external(host: str) -> bool:
    """Whether a host of two labels, such as `example.com`, may be outside the cluster."""
    return host.count(".") == 1 and ".svc" not in host


RULE = LinkRule(
    name="L02",
    code="VSR402",
    purpose="Every object to which another one refers is among the checked objects or is passed by `--assume`, and has "
    "the port, listener, rule or subset that the reference names. Objects that come from elsewhere only produce notes: "
    "Secrets, classes, what controllers create, and kinds and namespaces of which no object is checked.",
    check=_check,
)
