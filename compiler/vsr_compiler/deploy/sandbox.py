"""Settings of the local sandbox: one Envoy with the routes, header names, filter and limits of the real gateway.

Ports are placeholders: the sandbox replaces them by free ones at startup.
"""

from __future__ import annotations

from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.deploy import sandbox_identity, sandbox_listeners
from vsr_compiler.ir.providers import AUTHORIZATION, BEARER
from vsr_compiler.link.tests import DEFAULT_ROUTE
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.providers import SCHEMAS
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

MODEL_NOT_ALLOWED = "model_not_allowed"
"""The router's error for a client that may not use a model."""
EXT_PROC_CLUSTER = "router"
LOOPBACK = "127.0.0.1"
GATEWAY_PORT = 8801
BACKEND_PORT = 9000
LIMITS = {"re2.max_program_size.error_level": 32_768}
"""Istio's limit, for the pattern of headers that the router may change. Envoy's default of 100 is too small for it."""


MAX_HEAP = 2 << 30
"""Bytes of Envoy's memory, near which it refuses requests. Several hundred of the largest bodies are less."""
_MONITORS = "type.googleapis.com/envoy.extensions.resource_monitors"


def bootstrap(policy: ir.Policy) -> Body:
    """Return Envoy's configuration."""
    manager = (
        {"@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"}
        | {"http_filters": _filters(policy), "route_config": _table(policy), "stat_prefix": "gateway"}
        | sandbox_identity.connection(policy)
        | early_header_mutation(policy)
        | client_http2(policy)
        | client_timeouts(policy)
    )
    listeners = _listeners(policy, manager)
    backends = [_cluster(_cluster_name(endpoint), port) for endpoint, port in _backends(policy)]
    chains = attempts.chains(policy)
    if chains:
        listeners.append(attempts.listener(policy, EXT_PROC_CLUSTER, {"route_config": _table(policy)}))
    router = _cluster(EXT_PROC_CLUSTER, policy.router.grpc.port) | {
        "circuit_breakers": {"thresholds": [{"max_requests": MAX_STREAMS, "max_pending_requests": MAX_STREAMS}]},
        "typed_extension_protocol_options": HTTP2,
    }
    return {
        "admin": {"address": _address(0)},
        "layered_runtime": {"layers": [{"name": "limits", "static_layer": LIMITS}]},
        "overload_manager": _overload_manager(),
        "static_resources": {
            "clusters": [*backends, router, *(attempts.cluster(chain) for chain in chains)],
            "listeners": listeners,
        },
    }


def _filters(policy: ir.Policy) -> list[Body]:
    return [
        *sandbox_identity.filters(policy),
        ext_proc_filter(policy, EXT_PROC_CLUSTER, local=True),
        {
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": f"{TYPES}.filters.http.router.v3.Router"},
        },
    ]


def _listeners(policy: ir.Policy, manager: Body) -> list[Body]:
    """Return the listeners of the policy; one for every host if it does not say where the Gateway listens."""
    if sandbox_listeners.has_listeners(policy):
        # The gateway answers redirects by itself: the router's filter, the last but one, does not run there.
        *identity, _, last = manager["http_filters"]
        hosts = _table(policy)["virtual_hosts"]
        return sandbox_listeners.listeners(policy, manager, manager | {"http_filters": [*identity, last]}, hosts)
    filters = [{"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}]
    listener = {"name": "http", "address": _address(GATEWAY_PORT), "filter_chains": [{"filters": filters}]}
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


def settings(policy: ir.Policy) -> Body:
    """Return what the sandbox starts besides Envoy, and the requests of its demo: the policy's tests."""
    served: dict[str, list[str]] = {_cluster_name(endpoint): [] for endpoint in policy.endpoints}
    for model in policy.models:
        for endpoint, _ in model.endpoints:
            served[_cluster_name(endpoint)].append(model.served_name)
    if policy.router.fails_open:
        for endpoint, _ in policy.default.endpoints:
            served[_cluster_name(endpoint)] += policy.router.auto_models
    return (
        {
            "apiVersion": "vsr.dev/v1alpha1",
            "kind": "Sandbox",
            "policy": policy.name,
            "router": "../router/config.yaml",
            "extProcCluster": EXT_PROC_CLUSTER,
            "backends": [
                {"cluster": name, "models": served[name]} | _external(endpoint)
                for name, endpoint in zip(served, policy.endpoints, strict=True)
            ],
            "demo": [
                _demo(policy, test.prompt, test.requests[0]) | _sender(policy, test)
                for test in policy.tests
                if test.prompt is not None and sandbox_identity.can_send(policy, test)
            ],
        }
        | sandbox_identity.settings(policy)
        | sandbox_listeners.settings(policy)
    )


def _sender(policy: ir.Policy, test: ir.Test) -> Body:
    """Return who sends the request of a test, if clients are authenticated."""
    if policy.identity is None or not (test.attributes or test.roles):
        return {}
    return {"client": sandbox_identity.client(test.attributes, test.roles)}


def _external(endpoint: ir.Endpoint) -> Body:
    """Return what a simulated provider or server expects, with the key's file. The sandbox generates the key."""
    match endpoint.kind:
        case ir.Provider(path=path, api=api):
            headers = SCHEMAS[api.schema].headers if api.schema else {}
            wanted = {"query": api.query or None, "headers": sorted(headers) or None}
            body = {"path": path} | {name: value for name, value in wanted.items() if value} | _key(endpoint)
            return {"external": body}
        case ir.VllmServer() | ir.ExistingService() | ir.ExistingPods() | ir.ExistingPool() | ir.ForeignRoute():
            return {"key": _key(endpoint)} if endpoint.api_key is not None else {}
        case _ as unreachable:
            assert_never(unreachable)


def _key(endpoint: ir.Endpoint) -> Body:
    """Return the key's file, and how the key is sent unless it is sent as usual."""
    key = endpoint.api_key
    if key is None:
        return {}
    if key.query:
        return {"credential": endpoint.credential, "parameter": key.query}
    usual = (key.header, key.prefix) == (AUTHORIZATION, BEARER)
    return {"credential": endpoint.credential} | ({} if usual else {"header": key.header, "prefix": key.prefix})


def _demo(policy: ir.Policy, prompt: str, request: ir.TestRequest) -> Body:
    by_route = {route.name: route.models for route in policy.routes} | {DEFAULT_ROUTE: ((policy.default, 100),)}
    expect = request.expect
    models = by_route[expect.route] if expect and expect.route else ()
    sent = {"model": request.model, "prompt": prompt}
    if expect and any(isinstance(guard.action, ir.Block) for guard in expect.guards or ()):
        return {**sent, "status": 403}
    if expect and expect.error == MODEL_NOT_ALLOWED:
        return {**sent, "status": 403}
    # A split has several possible models, and a fixed response has none.
    model = (expect.model if expect else None) or (models[0][0] if len(models) == 1 else None)
    expected = {
        "category": expect.category if expect else None,
        "expect": model.served_name if model else None,
    }
    return sent | {key: value for key, value in expected.items() if value is not None}


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
        action["cluster"] = _cluster_name(model.endpoints[0][0])
    else:
        weights = [{"name": _cluster_name(endpoint), "weight": weight} for endpoint, weight in model.endpoints]
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


def _backends(policy: ir.Policy) -> list[tuple[ir.Endpoint, int]]:
    # Ports repeat past 65535; the sandbox replaces them anyway, and Envoy accepts duplicates.
    return [(endpoint, BACKEND_PORT + index % 50_000) for index, endpoint in enumerate(policy.endpoints)]


def _cluster_name(endpoint: ir.Endpoint) -> str:
    return f"backend/{endpoint.name}"


def _cluster(name: str, port: int) -> Body:
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(port)}}]}],
        },
    }


def _address(port: int) -> Body:
    return {"socket_address": {"address": LOOPBACK, "port_value": port}}
