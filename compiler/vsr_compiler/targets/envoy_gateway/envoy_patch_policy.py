"""The EnvoyPatchPolicy that makes Envoy Gateway call the router: the ext_proc filter and the router's cluster.

An EnvoyExtensionPolicy does not work here. Its filter is enabled by the route that a request matches first, so without
a catch-all route it would never run, and Envoy AI Gateway puts its own filter in front of it. A patch applies to every
request, before AI Gateway adds its filters.

If the patch is missing (Envoy Gateway ignores the kind unless it is enabled), no request has a selected model, and none
reaches a model.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.gateways import ENVOY_GATEWAY
from vsr_compiler.targets.common.extproc import HTTP2, MAX_STREAMS, ext_proc_filter
from vsr_compiler.targets.common.router_failover import envoy_ejection, has_several, health_check
from vsr_compiler.targets.envoy_gateway.gateway import ENVOY_API, target

CONFIG = "type.googleapis.com/envoy.config"


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the EnvoyPatchPolicy, in the namespace of the Gateway."""
    gateway, router = policy.gateway, policy.router
    by_port = ENVOY_GATEWAY[policy.versions["envoy-gateway"]].names_by_port
    cluster = router_cluster(router)
    patches = [
        _add("cluster.v3.Cluster", cluster["name"], "", cluster),
        _add(
            "listener.v3.Listener",
            listener_name(gateway, by_port=by_port),
            f"{filters_path(gateway.listener)}/0",
            ext_proc_filter(policy, cluster["name"]),
        ),
    ]
    yield make(
        ENVOY_API,
        "EnvoyPatchPolicy",
        f"{gateway.name}-{router.grpc.name}",
        router.span,
        namespace=gateway.namespace,
        spec={"type": "JSONPatch", "targetRef": target(policy), "jsonPatches": patches},
    )


def listener_name(gateway: ir.Gateway, *, by_port: bool) -> str:
    """Return the name of the Gateway's listener in Envoy, in either naming scheme."""
    return f"tcp-{gateway.listener.port}" if by_port else f"{gateway.namespace}/{gateway.name}/{gateway.listener.name}"


def filters_path(listener: ir.Listener) -> str:
    """Return the JSON pointer of a listener's HTTP filters. A listener with TLS has filter chains by server name."""
    chain = "/filter_chains/0" if listener.protocol == "HTTPS" else "/default_filter_chain"
    return f"{chain}/filters/0/typed_config/http_filters"


def router_cluster(router: ir.Router) -> Body:
    """Return the router's cluster. Its Service is headless, so that streams are balanced over the pods."""
    service = router.grpc
    address = {"socket_address": {"address": service.host, "port_value": service.port}}
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


def _add(kind: str, name: str, path: str, value: Body) -> Body:
    return {"type": f"{CONFIG}.{kind}", "name": name, "operation": {"op": "add", "path": path, "value": value}}
