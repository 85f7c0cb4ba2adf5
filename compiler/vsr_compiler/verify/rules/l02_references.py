"""L02: what an object names is there."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler.diagnostics import Diagnostic, Severity
from vsr_compiler.verify.manifest import Manifest, Path, dig, text, texts, title
from vsr_compiler.verify.manifest_index import ENVOY, ISTIO, RBAC, World
from vsr_compiler.verify.references import Reference, references

_CLASSES = ("istio", "agentgateway", "gke-", "kgateway", "nginx", "cilium", "eg")
_ROLES = ("admin", "cluster-admin", "edit", "view", "system:")


def rule(world: World) -> Iterator[Diagnostic]:
    """Every object that another names is among those that are checked, or is named by `--assume`; Services have the
    port that is asked for. What a control plane provides, and Secrets, are notes.
    """  # noqa: D205 - the whole of it is what users read
    told: set[tuple[str, str, str]] = set()
    for each in references(world):
        if world.assumes(each.kind, each.namespace, each.name) or _hostname(world, each):
            continue
        target = world.find(each.group, each.kind, each.namespace, each.name)
        if target is not None:
            if each.port is not None and each.kind == "Service":
                yield from _port(each, [port for _, port in target.each("spec", "ports")])
        elif provided := _provided(each):
            key = (each.kind, each.namespace, each.name)
            if key not in told:
                told.add(key)
                message = f"{title(*key)} is not among these objects: {provided}"
                yield Diagnostic("VSR402", message, each.source.span(*each.path), "", Severity.NOTE)
        else:
            yield _missing(world, each)
    yield from _hosts(world)
    yield from _ports(world)


def _port(each: Reference, ports: list[dict[str, object]]) -> Iterator[Diagnostic]:
    known = [port.get("port") for port in ports]
    if each.port not in known:
        message = f"Service `{each.namespace}/{each.name}` has no port {each.port}"
        hint = f"It has {', '.join(map(str, known)) or 'none'}; a reference takes the Service's port, not the pod's."
        yield Diagnostic("VSR402", message, each.source.span(*each.path), hint)


def _provided(each: Reference) -> str:
    """Who provides what is named; empty where nobody is known to."""
    if each.kind == "Secret":
        return "a Secret stays out of manifests, and must be in the cluster before"
    if each.kind == "GatewayClass" and each.name.startswith(_CLASSES):
        return "the gateway's control plane provides it"
    if each.kind == "ServiceAccount" and each.name == "default":
        return "every namespace has it"
    if each.group == RBAC and each.kind == "ClusterRole" and each.name.startswith(_ROLES):
        return "Kubernetes provides it"
    return ""


def _missing(world: World, each: Reference) -> Diagnostic:
    what = title(each.kind, each.namespace, each.name)
    elsewhere = next(
        (found for found in world.of(each.kind) if found.name == each.name and found.group == each.group), None
    )
    other = next((found for found in world.of(each.kind) if found.name == each.name), None)
    assume = f"--assume {'/'.join(part for part in (each.kind, each.namespace, each.name) if part)}"
    hint = f"Mend the name, or pass {assume} if it exists elsewhere."
    if elsewhere is not None:
        place = f"in `{elsewhere.namespace}`" if elsewhere.namespace else "without a namespace"
        hint = f"There is one of that name {place}; mend the namespace, or pass {assume}."
    elif other is not None:
        hint = f"There is one of that name in the API group `{other.group}`; this names `{each.group}`."
    return Diagnostic(
        "VSR402", f"{each.source.title} names {what}, which is not there", each.source.span(*each.path), hint
    )


def _hosts(world: World) -> Iterator[Diagnostic]:
    """DestinationRules and Envoy Gateway's Backends name Services by a host in a string."""
    entries = _entries(world)
    named: list[tuple[Manifest, Path]] = [(each, ("spec", "host")) for each in world.of("DestinationRule", ISTIO)]
    for each in world.of("Backend", ENVOY):
        named += [(each, (*path, "fqdn", "hostname")) for path, _ in each.each("spec", "endpoints")]
    for each, path in named:
        host = text(each.at(*path))
        if each.group == ENVOY and not host.endswith((".svc", ".svc.cluster.local")):
            continue
        found = world.service_of(host, each.namespace)
        if found is None or "*" in host or not host:
            continue
        name, namespace = found
        if host in entries or world.service(namespace, name) or world.assumes("Service", namespace, name):
            continue
        if _external(host):
            continue
        hint = f"Mend the host, or pass --assume Service/{namespace}/{name} if it exists elsewhere."
        message = f"{each.title} is for the host `{host}`, and there is no such Service"
        yield Diagnostic("VSR402", message, each.span(*path), hint)


def _ports(world: World) -> Iterator[Diagnostic]:
    """A Backend that names a Service takes its port, not the pods'."""
    for each in world.of("Backend", ENVOY):
        for path, body in each.each("spec", "endpoints"):
            host, port = text(dig(body, "fqdn", "hostname")), dig(body, "fqdn", "port")
            found = world.service_of(host, each.namespace) if ".svc" in host else None
            service = world.service(found[1], found[0]) if found else None
            if service is not None and port not in [one.get("port") for _, one in service.each("spec", "ports")]:
                message = f"{each.title} leads to port {port} of {service.title}, which has none such"
                yield Diagnostic("VSR402", message, each.span(*path, "fqdn"), "Use the Service's port.")


def _entries(world: World) -> set[str]:
    """The hosts outside the cluster that Istio is told of."""
    return {host for each in world.of("ServiceEntry", ISTIO) for host in texts(each.spec.get("hosts"))}


def _hostname(world: World, each: Reference) -> bool:
    """Whether a route's Hostname, which is no object, is a host that Istio is told of."""
    return each.kind == "Hostname" and each.group == ISTIO and each.name in _entries(world)


def _external(host: str) -> bool:
    """A name of two labels, such as `example.com`, may be a host outside the cluster."""
    return host.count(".") == 1 and ".svc" not in host
