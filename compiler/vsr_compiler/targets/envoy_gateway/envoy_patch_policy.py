"""The EnvoyPatchPolicy that makes Envoy Gateway call the router: the ext_proc filter and the router's cluster.

The patch inserts the router's filters into every filter chain of the listener, before the filter of the request buffer
(see `catch_all`): behind authentication, and before authorization and limits by route. AI Gateway adds its own filter
afterwards, behind the request buffer. An EnvoyExtensionPolicy does not work here: AI Gateway puts its filter in front
of it, and it has neither `message_timeout` nor `status_on_error`.

If the patch is missing, or misses a listener, no request has a selected model there, and none reaches a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import Wave
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases import filter_order
from vsr_compiler.releases.gateways import ENVOY_GATEWAY
from vsr_compiler.targets.common import attempts as attempts_of
from vsr_compiler.targets.common.extproc import HTTP2, MAX_STREAMS, router_filters
from vsr_compiler.targets.common.router_failover import envoy_ejection, has_several, health_check
from vsr_compiler.targets.envoy_gateway.gateway import ENVOY_API, target
from vsr_schemas.headers import ROUTING

CONFIG = "type.googleapis.com/envoy.config"
_MANAGER = "envoy.filters.network.http_connection_manager"
MANAGERS = f"$..filters[?(@.name=='{_MANAGER}')].typed_config"
BEFORE_BUFFER = f"{MANAGERS}.http_filters[?(@.name=='{filter_order.ENVOY_GATEWAY_ANCHOR}')]"
"""Every connection manager of a listener: HTTP has a default filter chain, TLS one for each listener of the port. An
`add` at an item of a list inserts before it."""


def emitter(wave: Wave, *, attempts: bool = True) -> Callable[[ir.Policy], Iterator[Object]]:
    """Return the emitter of the EnvoyPatchPolicy.

    Args:
        wave: The sync wave, after the first route: without a route the listener has no request buffer to insert before.
        attempts: Whether the proxy sends itself the attempts of routes that have several.
    """

    def emit(policy: ir.Policy) -> Iterator[Object]:
        """Yield the EnvoyPatchPolicy, in the namespace of the Gateway."""
        return _patch_policy(policy, wave, attempts=attempts)

    return emit


def _patch_policy(policy: ir.Policy, wave: Wave, *, attempts: bool) -> Iterator[Object]:
    gateway, router = policy.gateway, policy.router
    by_port = ENVOY_GATEWAY[policy.versions["envoy-gateway"]].names_by_port
    cluster = router_cluster(router)
    patches = [
        add("cluster.v3.Cluster", cluster["name"], {"path": ""}, cluster),
        *(
            add("listener.v3.Listener", listener, {"jsonPath": BEFORE_BUFFER}, item)
            for listener in listener_names(gateway, by_port=by_port)
            for item in router_filters(policy, cluster["name"], ROUTING)
        ),
        *(_attempts(policy, cluster["name"]) if attempts else ()),
    ]
    yield make(
        ENVOY_API,
        "EnvoyPatchPolicy",
        f"{gateway.name}-{router.grpc.name}",
        router.span,
        namespace=gateway.namespace,
        wave=wave,
        spec={"type": "JSONPatch", "targetRef": target(policy), "jsonPatches": patches},
    )


def listener_names(gateway: ir.Gateway, *, by_port: bool) -> list[str]:
    """Return the names of Envoy's listeners with models, in either naming scheme: one for each port.

    It is that of the first listener of the port. Redirects have ports of their own.
    """
    first = {section.listener.port: section.name for section in reversed(gateway.model_sections)}
    prefix = f"{gateway.namespace}/{gateway.name}"
    return [f"tcp-{port}" if by_port else f"{prefix}/{name}" for port, name in sorted(first.items())]


def route_tables(gateway: ir.Gateway, *, by_port: bool) -> list[str]:
    """Return the names of the RouteConfigurations with models, in either naming scheme (`listener.go`).

    Listeners of a port without TLS share one; each listener with TLS has its own.
    """
    prefix = f"{gateway.namespace}/{gateway.name}"
    tables: dict[tuple[int, str], str] = {}
    for section in gateway.model_sections:
        port, tls = section.listener.port, section.listener.tls is not None
        name = f"http-{port}" if by_port and not tls else f"{prefix}/{section.name}"
        tables.setdefault((port, section.name if tls else ""), name)
    return list(tables.values())


def _attempts(policy: ir.Policy, router: str) -> Iterator[Body]:
    """Yield the patches for routes with several attempts: a cluster and a route for each, and one listener."""
    chains = attempts_of.chains(policy)
    if not chains:
        return
    by_port = ENVOY_GATEWAY[policy.versions["envoy-gateway"]].names_by_port
    tables = route_tables(policy.gateway, by_port=by_port)
    hosts = "$.virtual_hosts[*]"
    place = {"jsonPath": hosts, "path": "/include_request_attempt_count"}
    for table in tables:
        yield add("route.v3.RouteConfiguration", table, place, value=True)
    for chain in chains:
        value = attempts_of.cluster(chain)
        yield add("cluster.v3.Cluster", value["name"], {"path": ""}, value)
        # The route without conditions takes whatever comes behind it.
        place = {"jsonPath": hosts, "path": "/routes/0"}
        for table in tables:
            yield add("route.v3.RouteConfiguration", table, place, attempts_of.route(policy, chain))
    routes = {"rds": {"config_source": {"ads": {}, "resource_api_version": "V3"}, "route_config_name": tables[0]}}
    listener = attempts_of.listener(policy, router, routes)
    yield add("listener.v3.Listener", listener["name"], {"path": ""}, listener)


def router_cluster(router: ir.Router) -> Body:
    """Return the router's cluster. Its Service is headless, so that streams are balanced over the pods."""
    service = router.grpc
    address = {"socket_address": {"address": router.headless.host, "port_value": service.port}}
    limits = {"max_connections": MAX_STREAMS, "max_pending_requests": MAX_STREAMS, "max_requests": MAX_STREAMS}
    if has_several(router):  # Envoy's default is three retries at a time
        limits["max_retries"] = MAX_STREAMS
    return {
        "name": service.envoy_cluster,
        "type": "STRICT_DNS",
        "connect_timeout": "0.500s",
        "dns_lookup_family": "V4_PREFERRED",
        "lb_policy": "LEAST_REQUEST",
        # A pod that drains or hangs gets no new streams, even while DNS still lists it.
        "health_checks": [health_check(router)],
        "ignore_health_on_host_removal": True,
        "circuit_breakers": {"thresholds": [limits]},
        "typed_extension_protocol_options": HTTP2,
        "load_assignment": {
            "cluster_name": service.envoy_cluster,
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": address}}]}],
        },
    } | envoy_ejection(router)


def add(kind: str, name: str, place: Body, value: object) -> Body:
    """Return the patch that adds a value at a place of an xDS resource."""
    return {"type": f"{CONFIG}.{kind}", "name": name, "operation": {"op": "add", **place, "value": value}}
