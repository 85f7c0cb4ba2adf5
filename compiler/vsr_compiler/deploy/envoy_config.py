"""Envoy's configuration for one machine: the routes, header names, filters and limits of the real gateway.

The local sandbox and hosts with containers have the same configuration. They differ in a `Place`: where Envoy listens,
and where it finds the router, the endpoints, certificates and keys.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from vsr_compiler import ir
from vsr_compiler.deploy import envoy_listeners
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.common import attempts
from vsr_compiler.targets.common.extproc import (
    CLIENT_CONNECTIONS,
    HTTP2,
    MAX_STREAMS,
    TYPES,
    buffer_limit,
    client_http2,
    client_timeouts,
    duration,
    early_header_mutation,
    ext_proc_filter,
)
from vsr_schemas.headers import SELECTED_MODEL
from vsr_schemas.identity import header_of

EXT_PROC_CLUSTER = "router"
GATEWAY_PORT = 8801
LIMITS = {"re2.max_program_size.error_level": 32_768}
"""Istio's limit, for the pattern of headers that the router may change. Envoy's default of 100 is too small for it."""
MAX_HEAP = 2 << 30
"""Bytes of Envoy's memory, near which it refuses requests. Several hundred of the largest bodies are less."""
_MONITORS = "type.googleapis.com/envoy.extensions.resource_monitors"
_PROVIDER = "identity"


class Place(envoy_listeners.Sockets, Protocol):
    """What differs by place."""

    def admin(self) -> Body:
        """Return the address of Envoy's administration."""

    def connection(self) -> Body:
        """Return fields of the connection manager that depend on who connects."""

    def router(self) -> Body:
        """Return the fields of the router's cluster that say where it is."""

    def endpoint(self, endpoint: ir.Endpoint, name: str) -> Body:
        """Return the cluster of an endpoint."""

    def key_set(self, jwt: ir.Jwt) -> Body:
        """Return the field with the keys of tokens."""

    def further_clusters(self) -> Iterable[Body]:
        """Return clusters of the place's own."""


def bootstrap(policy: ir.Policy, place: Place) -> Body:
    """Return Envoy's configuration."""
    manager = (
        {"@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"}
        | {"http_filters": _filters(policy, place), "route_config": _table(policy), "stat_prefix": "gateway"}
        | place.connection()
        | early_header_mutation(policy)
        | client_http2(policy)
        | client_timeouts(policy)
    )
    listeners = _listeners(policy, place, manager)
    backends = [place.endpoint(endpoint, cluster_name(endpoint)) for endpoint in policy.endpoints]
    chains = attempts.chains(policy)
    if chains:
        listeners.append(attempts.listener(policy, EXT_PROC_CLUSTER, {"route_config": _table(policy)}))
    router = (
        {"name": EXT_PROC_CLUSTER}
        | place.router()
        | {
            "circuit_breakers": {"thresholds": [{"max_requests": MAX_STREAMS, "max_pending_requests": MAX_STREAMS}]},
            "typed_extension_protocol_options": HTTP2,
        }
    )
    clusters = [*backends, router, *(attempts.cluster(chain) for chain in chains), *place.further_clusters()]
    return {
        "admin": place.admin(),
        "layered_runtime": {"layers": [{"name": "limits", "static_layer": LIMITS}]},
        "overload_manager": _overload_manager(),
        "static_resources": {"clusters": clusters, "listeners": listeners},
    }


def cluster_name(endpoint: ir.Endpoint) -> str:
    """Return the name of an endpoint's cluster."""
    return f"backend/{endpoint.name}"


def _filters(policy: ir.Policy, place: Place) -> list[Body]:
    return [
        *_authentication(policy, place),
        ext_proc_filter(policy, EXT_PROC_CLUSTER, local=True),
        {
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"},
        },
    ]


def _authentication(policy: ir.Policy, place: Place) -> list[Body]:
    """Return the HTTP filters that come before the router's. Keys and front ends are the router's affair."""
    if policy.identity is None or not isinstance(policy.identity.source, ir.Jwt):
        return []
    jwt = policy.identity.source
    provider = {
        "issuer": jwt.issuer,
        "audiences": list(jwt.audiences),
        **place.key_set(jwt),
        "from_headers": [{"name": "authorization", "value_prefix": "Bearer "}],
        "claim_to_headers": [
            {"header_name": header_of(attribute), "claim_name": claim} for attribute, claim in jwt.claims
        ],
    }
    config = {
        "@type": f"{TYPES}.filters.http.jwt_authn.v3.JwtAuthentication",
        "providers": {_PROVIDER: provider},
        "rules": [{"match": {"prefix": "/"}, "requires": {"provider_name": _PROVIDER}}],
        "bypass_cors_preflight": policy.gateway.cors is not None,
    }
    return [{"name": "envoy.filters.http.jwt_authn", "typed_config": config}]


def _listeners(policy: ir.Policy, place: Place, manager: Body) -> list[Body]:
    """Return the listeners of the policy; one for every host if it does not say where the Gateway listens."""
    if envoy_listeners.has_listeners(policy):
        # The gateway answers redirects by itself: the router's filter, the last but one, does not run there.
        *identity, _, last = manager["http_filters"]
        hosts = _table(policy)["virtual_hosts"]
        redirecting = manager | {"http_filters": [*identity, last]}
        return envoy_listeners.listeners(policy, place, manager, redirecting, hosts)
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    listener = {"name": "http", "address": place.listener(GATEWAY_PORT), "filter_chains": [{"filters": filters}]}
    return [listener | buffer_limit(policy)]


def _overload_manager() -> Body:
    """Return the limits on connections and memory. They count all clients."""
    heap, connections = (
        "envoy.resource_monitors.fixed_heap",
        "envoy.resource_monitors.global_downstream_max_connections",
    )
    return {
        "resource_monitors": [
            {
                "name": heap,
                "typed_config": {
                    "@type": f"{_MONITORS}.fixed_heap.v3.FixedHeapConfig",
                    "max_heap_size_bytes": MAX_HEAP,
                },
            },
            {
                "name": connections,
                "typed_config": {
                    "@type": f"{_MONITORS}.downstream_connections.v3.DownstreamConnectionsConfig",
                    "max_active_downstream_connections": CLIENT_CONNECTIONS,
                },
            },
        ],
        "actions": [
            {
                "name": "envoy.overload_actions.stop_accepting_requests",
                "triggers": [{"name": heap, "threshold": {"value": 0.95}}],
            }
        ],
    }


def _table(policy: ir.Policy) -> Body:
    host: Body = {"name": "models", "domains": ["*"], "routes": _routes(policy)}
    if policy.retrying:
        host["include_request_attempt_count"] = True
    return {"virtual_hosts": [host]}


def _routes(policy: ir.Policy) -> list[Body]:
    """Return a route per model and per chain of attempts, and with `onFailure: default-model` one for the default."""
    routes = [_route(policy, model) for model in policy.models]
    routes += [_attempted(policy, chain) for chain in attempts.chains(policy)]
    if policy.router.fails_open:
        routes.append(_route(policy, policy.default) | {"name": "on-failure", "match": {"prefix": f"{ir.API_PATH}/"}})
    return routes


def _attempted(policy: ir.Policy, chain: attempts.Chain) -> Body:
    """Return the route of several attempts. The sandbox has no filter that sets the mark of decided requests."""
    body = attempts.route(policy, chain)
    headers = [{"name": SELECTED_MODEL, "string_match": {"exact": chain.name}}]
    return {**body, "match": {"prefix": "/", "headers": headers}}


def _route(policy: ir.Policy, model: ir.Model) -> Body:
    match: Body = {"prefix": "/", "headers": [{"name": SELECTED_MODEL, "string_match": {"exact": model.name}}]}
    action: Body = {"timeout": duration(policy.gateway.timeout)}
    route: Body = {}
    if len(model.endpoints) == 1:
        action["cluster"] = cluster_name(model.endpoints[0][0])
    else:
        weights = [{"name": cluster_name(endpoint), "weight": weight} for endpoint, weight in model.endpoints]
        action["weighted_clusters"] = {"clusters": weights}
    if model.provider and model.provider.provider:
        provider = model.provider.provider
        action["host_rewrite_literal"] = provider.host
        if provider.has_own_path:
            match["prefix"] = f"{ir.API_PATH}/"
            action["prefix_rewrite"] = f"{provider.path}/"
        if provider.hidden_headers:
            route["request_headers_to_remove"] = list(provider.hidden_headers)
    return route | {"name": model.name, "match": match, "route": action}
