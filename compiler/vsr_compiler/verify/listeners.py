"""Listeners of Gateways: the routes that attach to them, and what Envoy Gateway makes of them in Envoy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.verify.manifest import (
    Body,
    Manifest,
    Path,
    as_mapping,
    as_mappings,
    as_string,
    as_string_map,
    as_strings,
    value_at,
)
from vsr_compiler.verify.manifest_index import GATEWAY_API, ManifestIndex

_HTTP_PROTOCOLS = frozenset({"HTTP", "HTTPS"})
"""Protocols of listeners to which HTTPRoutes can attach."""
KINDS_BY_PROTOCOL = {
    "HTTP": ("HTTPRoute", "GRPCRoute"),
    "HTTPS": ("HTTPRoute", "GRPCRoute"),
    "TLS": ("TLSRoute", "TCPRoute"),
    "TCP": ("TCPRoute", "TLSRoute"),
    "UDP": ("UDPRoute",),
}
"""Kinds of routes by the protocol of the listener. Other protocols belong to an implementation.

Source: Gateway API 1.5, `Listener.protocol` and GEP-1364; implementations attach TCPRoutes to listeners that end TLS.
"""
_WITH_LISTENERS = {
    "Gateway": GATEWAY_API,
    "ListenerSet": GATEWAY_API,
    "XListenerSet": "gateway.networking.x-k8s.io",
}
"""Kinds that routes attach to, with their API groups."""
_QUIC = "-quic"
"""What Envoy Gateway appends to a listener's name for its HTTP/3 listener."""


@dataclass(frozen=True, slots=True, eq=False)
class Listener:
    """A listener of a Gateway.

    Attributes:
        gateway: The Gateway.
        path: Path of the listener in it.
        body: The listener.
    """

    gateway: Manifest
    path: Path
    body: Body

    @property
    def name(self) -> str:
        """The name, which routes and policies use as `sectionName`."""
        return as_string(self.body.get("name"))

    @property
    def port(self) -> int | None:
        """The port; None if it is not an integer, which the schema check reports."""
        port = self.body.get("port")
        return port if isinstance(port, int) else None

    @property
    def has_tls(self) -> bool:
        """Whether it terminates TLS for HTTP."""
        return self.body.get("protocol") == "HTTPS"

    @property
    def title(self) -> str:
        """The listener in messages."""
        return f"the listener `{self.name}` of {self.gateway.title}"


@dataclass(frozen=True, slots=True)
class XdsListener:
    """A listener as Envoy Gateway configures it in Envoy.

    Source: Envoy Gateway 1.8.3 and 1.9.0, `internal/xds/translator/translator.go`, `findXdsListenerByHostPort`: one
    listener for each port, with the name of the Gateway's first listener of that port. HTTP listeners of a port share
    `default_filter_chain`; each HTTPS listener is an item of `filter_chains`. HTTP/3 is a listener of its own.

    Attributes:
        name: Its name; with the scheme of names by port, ``name_by_port`` instead.
        name_by_port: Its name in the scheme of names by port.
        chain: Index in `filter_chains`; None for `default_filter_chain`.
    """

    name: str
    name_by_port: str
    chain: int | None

    @property
    def names(self) -> frozenset[str]:
        """Both names."""
        return frozenset({self.name, self.name_by_port})


def listeners_of(gateway: Manifest) -> list[Listener]:
    """Return the HTTP and HTTPS listeners of a Gateway in their order."""
    return [
        Listener(gateway, path, body)
        for path, body in gateway.entries("spec", "listeners")
        if as_string(body.get("protocol")) in _HTTP_PROTOCOLS
    ]


def attached_listeners(index: ManifestIndex, route: Manifest) -> list[Listener]:
    """Return the listeners of the Gateways among the objects that accept a route."""
    attached: dict[tuple[int, Path], Listener] = {}
    for _, ref in route.entries("spec", "parentRefs"):
        gateway = parent_gateway(index, route, ref)
        for listener in listeners_of(gateway) if gateway else ():
            if (
                is_named(listener.body, ref)
                and accepts(index, listener.gateway, listener.body, route)
                and domains(listener, route)
            ):
                attached.setdefault((id(gateway), listener.path), listener)
    return list(attached.values())


def virtual_hosts(index: ManifestIndex, route: Manifest) -> list[tuple[object, ...]]:
    """Return what tells the requests of routes apart before their matches: listener and hostname.

    A hostname that is more specific takes its requests from the others, so only equal hostnames share requests. For
    a Gateway that is not among the objects, the parentRef stands for its listeners. A Gateway that is defined twice
    belongs to independent examples, whose routes have nothing to do with each other.
    """
    hosts: dict[tuple[object, ...], None] = {}
    for _, ref in route.entries("spec", "parentRefs"):
        gateway = parent_gateway(index, route, ref)
        if gateway is None:
            kind, name = as_string(ref.get("kind")), as_string(ref.get("name"))
            namespace = as_string(ref.get("namespace")) or route.namespace
            parent = (kind or "Gateway", namespace, name, as_string(ref.get("sectionName")), str(ref.get("port")))
            for hostname in as_strings(route.spec.get("hostnames")) or ["*"]:
                hosts[(parent, hostname.lower())] = None
    attached = [item for item in attached_listeners(index, route) if item.gateway.identity not in index.defined_twice]
    for listener in attached:
        for domain in sorted(domains(listener, route)):
            hosts[(id(listener.gateway), listener.path, domain)] = None
    return list(hosts)


def routes_of(index: ManifestIndex, listener: Listener) -> list[Manifest]:
    """Return the routes that attach to a listener."""
    return _routes_by_listener(index).get((id(listener.gateway), listener.path), [])


def _routes_by_listener(index: ManifestIndex) -> dict[tuple[int, Path], list[Manifest]]:
    def compute() -> dict[tuple[int, Path], list[Manifest]]:
        routes: dict[tuple[int, Path], list[Manifest]] = {}
        for route in index.routes:
            for listener in attached_listeners(index, route):
                routes.setdefault((id(listener.gateway), listener.path), []).append(route)
        return routes

    return index.cached("routes_by_listener", compute)


def parent_gateway(index: ManifestIndex, route: Manifest, ref: Body) -> Manifest | None:
    """Return the Gateway or ListenerSet of a parentRef; None for another kind or one that is not among the objects."""
    kind = as_string(ref.get("kind")) or "Gateway"
    if kind not in _WITH_LISTENERS:
        return None
    namespace = as_string(ref.get("namespace")) or route.namespace
    return index.find(_WITH_LISTENERS[kind], kind, namespace, as_string(ref.get("name")))


def is_named(listener: Body, ref: Body) -> bool:
    """Whether a parentRef means a listener, by section name and port."""
    name, port = as_string(ref.get("sectionName")), ref.get("port")
    return name in {"", as_string(listener.get("name"))} and port in (None, listener.get("port"))


def accepts_kind(listener: Body, route: Manifest) -> bool:
    """Whether a listener accepts routes of this kind, by its protocol and its allowed kinds."""
    # AI Gateway creates an HTTPRoute from an AIGatewayRoute.
    route_kind = "HTTPRoute" if route.kind == "AIGatewayRoute" else route.kind
    kinds = as_mappings(value_at(listener, "allowedRoutes", "kinds"))
    if kinds and not any(kind.get("kind") == route_kind for kind in kinds):
        return False
    supported = KINDS_BY_PROTOCOL.get(as_string(listener.get("protocol")))
    return supported is None or route_kind in supported


def accepts(index: ManifestIndex, gateway: Manifest, listener: Body, route: Manifest) -> bool:
    """Whether a listener accepts routes of this kind from this namespace."""
    if not accepts_kind(listener, route):
        return False
    source = as_string(value_at(listener, "allowedRoutes", "namespaces", "from")) or "Same"
    if source == "Selector":
        namespace = index.find("", "Namespace", "", route.namespace)
        labels = as_string_map(namespace.at("metadata", "labels")) if namespace else {}
        selector = as_mapping(value_at(listener, "allowedRoutes", "namespaces", "selector"))
        labels = labels | {"kubernetes.io/metadata.name": route.namespace}
        # A namespace that is not among the objects may have any other label.
        return matches_selector(selector, labels, complete=namespace is not None)
    return source == "All" or (source == "Same" and route.namespace == gateway.namespace)


def matches_selector(selector: Body, labels: dict[str, str], *, complete: bool) -> bool:
    """Whether labels match a selector; unless they are complete, a missing label matches every expression."""
    pairs = as_string_map(selector.get("matchLabels")).items()
    expressions = [{"key": key, "operator": "In", "values": [value]} for key, value in pairs]
    for expression in [*expressions, *as_mappings(selector.get("matchExpressions"))]:
        value, values = labels.get(as_string(expression.get("key"))), as_strings(expression.get("values"))
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if (value is not None or complete) and not holds.get(as_string(expression.get("operator")), False):
            return False
    return True


def domains(listener: Listener, route: Manifest) -> frozenset[str]:
    """Return the domains of the virtual hosts that a route gets at a listener; empty if their hostnames differ."""
    return common_domains(listener.body, route)


def common_domains(listener: Body, route: Manifest) -> frozenset[str]:
    """Return the hostnames that a listener and a route have in common."""
    own = as_string(listener.get("hostname")) or "*"
    hostnames = as_strings(route.spec.get("hostnames")) or ["*"]
    return frozenset(domain for hostname in hostnames for domain in _common_domain(own, hostname))


def _common_domain(one: str, other: str) -> Iterator[str]:
    one, other = one.lower(), other.lower()
    for wide, narrow in ((one, other), (other, one)):
        if wide == narrow or (wide.startswith("*") and narrow.endswith(wide[1:])):
            yield narrow
            return


def xds_listener(listener: Listener, *, http3: bool = False) -> XdsListener:
    """Return the listener that Envoy Gateway configures for a listener, or for its HTTP/3."""
    same_port = [other for other in listeners_of(listener.gateway) if other.port == listener.port]
    gateway = listener.gateway
    name = f"{gateway.namespace or 'default'}/{gateway.name}/{same_port[0].name}"
    with_tls = [other.path for other in same_port if other.has_tls]
    chain = with_tls.index(listener.path) if listener.has_tls else None
    return XdsListener(name + _QUIC * http3, f"{'udp' if http3 else 'tcp'}-{listener.port}", chain)


def chain_leader(listener: Listener) -> Listener:
    """Return the listener whose settings apply: of the HTTP listeners of a port, the first."""
    same_port = [other for other in listeners_of(listener.gateway) if other.port == listener.port and not other.has_tls]
    return listener if listener.has_tls else same_port[0]
