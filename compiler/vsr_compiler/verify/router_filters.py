"""The filters of routers, listener by listener."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from vsr_compiler.verify.by_gateway import applies_to_gateway, by_gateway
from vsr_compiler.verify.ext_proc import ExtProcFilter, ext_proc_filters
from vsr_compiler.verify.listeners import (
    Listener,
    XdsListener,
    attached_listeners,
    chain_leader,
    routes_of,
    xds_listener,
)
from vsr_compiler.verify.manifest import (
    Body,
    Manifest,
    Path,
    as_mapping,
    as_mappings,
    as_string,
    value_at,
)
from vsr_compiler.verify.manifest_index import AI, ENVOY, GATEWAY_API, ManifestIndex, cached_per_index
from vsr_compiler.verify.policy_targets import EffectivePolicy, effective_policies, policies_on, targets
from vsr_compiler.verify.router_config import foreign_headers
from vsr_schemas.headers import AI_MODEL, CATEGORY, DECISION, SELECTED, SELECTED_MODEL

ROUTER_HEADERS = frozenset({SELECTED_MODEL, SELECTED, DECISION, CATEGORY})
"""Headers of a router's decision. A route that matches one trusts whoever has written it."""
PROXY_HEADERS = frozenset({"x-envoy-ip-tags"})
"""Headers that Envoy removes from every request of a client, whatever is configured, and only its filters can set.

Source: Envoy 1.38.3, `ConnectionManagerUtility::cleanInternalHeaders`.
"""
_CHAIN = re.compile(r"filter_?[cC]hains(?:/|\[)(\d+)")
HTTP_MANAGERS = "$..filters[?(@.name=='envoy.filters.network.http_connection_manager')]"
"""The jsonPath of the HTTP connection managers of every filter chain of a listener."""


@dataclass(frozen=True, slots=True, eq=False)
class RouterRoute:
    """A route that matches headers of the router.

    Attributes:
        route: The route.
        headers: These headers.
        open_headers: Those in matches that do not require a header of the proxy as well.
    """

    route: Manifest
    headers: frozenset[str]
    open_headers: frozenset[str]


@cached_per_index
def router_routes(index: ManifestIndex) -> Iterator[RouterRoute]:
    """Return the routes that match headers of the router."""
    foreign = frozenset(foreign_headers(index))
    for route in index.routes:
        matches = [
            {as_string(header.get("name")).lower() for header in as_mappings(match.get("headers"))}
            for rule in as_mappings(route.spec.get("rules"))
            for match in as_mappings(rule.get("matches"))
        ]
        # AI Gateway takes its header from the body, in which the router writes its decision.
        ai = {AI_MODEL} if route.group == AI and _gateway_has_filter(index, route) else set()
        trusted = [names & (ROUTER_HEADERS | foreign) or names & ai for names in matches]
        headers = frozenset().union(*trusted)
        if headers:
            unguarded = [part for part, names in zip(trusted, matches, strict=True) if not names & PROXY_HEADERS]
            yield RouterRoute(route, headers, frozenset().union(*unguarded))


def _gateway_has_filter(index: ManifestIndex, route: Manifest) -> bool:
    return any(_filters_of_gateway(index, listener.gateway) for listener in attached_listeners(index, route))


def router_listeners(index: ManifestIndex) -> list[tuple[Listener, list[RouterRoute]]]:
    """Return the listeners to which routes of the router attach, with these routes."""

    def compute() -> list[tuple[Listener, list[RouterRoute]]]:
        by_listener: dict[tuple[int, Path], tuple[Listener, list[RouterRoute]]] = {}
        for item in router_routes(index):
            for listener in attached_listeners(index, item.route):
                by_listener.setdefault((id(listener.gateway), listener.path), (listener, []))[1].append(item)
        return list(by_listener.values())

    return index.cached("router_listeners", compute)


def filters_of(index: ManifestIndex, listener: Listener, *, http3: bool = False) -> list[ExtProcFilter]:
    """Return the ext_proc filters that a listener gets, or its HTTP/3."""

    def compute() -> list[ExtProcFilter]:
        candidates = dict([*_filters_of_gateway(index, listener.gateway), *_extensions_of(index, listener)])
        ordered = [item for _, item in sorted(candidates.items(), key=lambda entry: entry[0])]
        return [item for item in ordered if reaches(index, item, listener, http3=http3)]

    return index.cached(("filters", id(listener.gateway), listener.path, http3), compute)


def _filters_of_gateway(index: ManifestIndex, gateway: Manifest) -> list[tuple[int, ExtProcFilter]]:
    """Return the filters whose object applies to a Gateway, with their numbers."""

    def items() -> Iterator[tuple[Manifest, tuple[int, ExtProcFilter]]]:
        return ((item.source, (number, item)) for number, item in enumerate(ext_proc_filters(index)))

    return by_gateway(index, "filters", items).applying_to(gateway)


def gateways_with_filters(index: ManifestIndex) -> dict[int, list[Manifest]]:
    """Return the Gateways that each object with a filter applies to, by the identity of that object."""

    def compute() -> dict[int, list[Manifest]]:
        gateways: dict[int, list[Manifest]] = {}
        for gateway in index.of_kind("Gateway", GATEWAY_API):
            for source in {id(item.source) for _, item in _filters_of_gateway(index, gateway)}:
                gateways.setdefault(source, []).append(gateway)
        return gateways

    return index.cached("gateways with filters", compute)


def listeners_with(index: ManifestIndex, processor: ExtProcFilter) -> list[Listener]:
    """Return the listeners that get a filter and to which routes of the router attach."""

    def compute() -> dict[int, list[Listener]]:
        listeners: dict[int, list[Listener]] = {}
        for listener, _ in router_listeners(index):
            for item in filters_of(index, listener):
                listeners.setdefault(id(item), []).append(listener)
        return listeners

    return index.cached("listeners by filter", compute).get(id(processor), [])


def _extensions_of(index: ManifestIndex, listener: Listener) -> Iterator[tuple[int, ExtProcFilter]]:
    """Yield the filters of EnvoyExtensionPolicies on a listener or a route that attaches to it, with their numbers."""

    def compute() -> dict[int, list[tuple[int, ExtProcFilter]]]:
        by_source: dict[int, list[tuple[int, ExtProcFilter]]] = {}
        for number, item in enumerate(ext_proc_filters(index)):
            by_source.setdefault(id(item.source), []).append((number, item))
        return by_source

    kind = "EnvoyExtensionPolicy"
    if not index.of_kind(kind, ENVOY):
        return
    by_source = index.cached("filters by source", compute)
    policies = policies_on(index, kind, listener.gateway, listener.name)
    for target in (listener.gateway, *routes_of(index, listener)):
        policies += policies_on(index, kind, target) if target.kind != "AIGatewayRoute" else []
    for policy in policies:
        yield from by_source.get(id(policy), ())


def reaches(index: ManifestIndex, processor: ExtProcFilter, listener: Listener, *, http3: bool = False) -> bool:
    """Whether a listener gets a filter."""
    source = processor.source
    if source.kind == "EnvoyExtensionPolicy":
        return _extends(index, source, listener)
    if not applies_to_gateway(source, listener.gateway):
        return False
    if source.kind == "EnvoyFilter":
        return matches_patch(source, processor.path[:-2], listener)
    if source.kind == "EnvoyPatchPolicy":
        patch = as_mapping(source.at(*processor.path[:-2]))
        return patches_listener(patch, xds_listener(listener, http3=http3))
    sections = [as_string(ref.get("sectionName")) for ref in as_mappings(source.spec.get("targetRefs"))]
    return "" in sections or listener.name in sections


def _extends(index: ManifestIndex, source: Manifest, listener: Listener) -> bool:
    """Whether an EnvoyExtensionPolicy applies to a listener, its Gateway, or a route that attaches to it."""
    objects = [listener.gateway, *(route for route in routes_of(index, listener) if route.kind == "HTTPRoute")]
    return targets(source, listener.gateway, listener.name) or any(targets(source, item) for item in objects)


def matches_patch(source: Manifest, path: Path, listener: Listener) -> bool:
    """Whether a patch of an EnvoyFilter matches a listener."""
    match = as_mapping(source.at(*path, "match"))
    wanted = as_mapping(match.get("listener"))
    number, name = wanted.get("portNumber"), as_string(wanted.get("name"))
    sni = as_string(value_at(wanted, "filterChain", "sni"))
    return (
        as_string(match.get("context")) in {"", "ANY", "GATEWAY"}
        and number in (None, listener.port)
        and (not name or name.endswith(f"_{listener.port}"))
        and sni in {"", as_string(listener.body.get("hostname"))}
    )


def patches_listener(patch: Body, xds: XdsListener) -> bool:
    """Whether a patch of an EnvoyPatchPolicy changes a filter chain of a listener."""
    return (
        as_string(patch.get("type")).endswith("v3.Listener")
        and as_string(patch.get("name")) in xds.names
        and hits_chain(as_mapping(patch.get("operation")), xds)
    )


def hits_chain(operation: Body, xds: XdsListener) -> bool:
    """Whether an operation changes the filter chain of a listener, by its jsonPath or else its path."""
    expression = as_string(operation.get("jsonPath"))
    where = expression or as_string(operation.get("path"))
    if "default_filter_chain" in where or "defaultFilterChain" in where:
        return xds.chain is None
    if "filter_chains" in where or "filterChains" in where:
        number = _CHAIN.search(where)
        return xds.chain is not None and (number is None or int(number[1]) == xds.chain)
    return bool(expression)


def client_policies(index: ManifestIndex, listener: Listener) -> list[EffectivePolicy]:
    """Return the ClientTrafficPolicies of which one applies to a listener.

    HTTP listeners of a port have the settings of the first. A policy for a section of such a port is invalid, but
    replaces the Gateway's all the same.
    """

    def compute() -> list[EffectivePolicy]:
        policies = effective_policies(index, "ClientTrafficPolicy", listener)
        leader = chain_leader(listener)
        if leader.path != listener.path:
            policies = [*policies, *effective_policies(index, "ClientTrafficPolicy", leader)]
        return policies

    return index.cached(("client policies", id(listener.gateway), listener.path), compute)


def offers_http3(index: ManifestIndex, listener: Listener) -> bool:
    """Whether Envoy Gateway adds a listener for HTTP/3."""
    return listener.has_tls and any(
        policy.settings.get("http3") is not None for policy in client_policies(index, listener)
    )
