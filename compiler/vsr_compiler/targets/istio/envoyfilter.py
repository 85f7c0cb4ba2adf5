"""The EnvoyFilter that makes Istio's gateway call the router, and the DestinationRule for the connection."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.extproc import (
    MAX_STREAMS,
    TYPES,
    buffer_limit,
    client_http2,
    early_header_mutation,
    ext_proc_filter,
)
from vsr_compiler.targets.common.router_failover import has_several, health_check, istio_ejection
from vsr_compiler.targets.istio.kinds import NETWORKING_GROUP

HCM = "envoy.filters.network.http_connection_manager"


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield both, in the gateway's namespace, where Istio looks first."""
    yield _envoy_filter(policy)
    yield _destination_rule(policy)


def _envoy_filter(policy: ir.Policy) -> Object:
    gateway = policy.gateway
    manager = {
        "name": HCM,
        "typed_config": {"@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"}
        | early_header_mutation()
        | client_http2(policy),
    }
    return make(
        f"{NETWORKING_GROUP}/v1alpha3",
        "EnvoyFilter",
        f"{gateway.name}-{policy.router.grpc.name}",
        policy.router.span,
        namespace=gateway.namespace,
        spec={
            "targetRefs": [{"group": GATEWAY_GROUP, "kind": "Gateway", "name": gateway.name}],
            "configPatches": [
                _patch("LISTENER", {}, "MERGE", buffer_limit(policy)),
                _patch("NETWORK_FILTER", {"listener": {"filterChain": {"filter": {"name": HCM}}}}, "MERGE", manager),
                _patch(
                    "HTTP_FILTER",
                    {"listener": {"filterChain": {"filter": {"name": HCM}}}},
                    "INSERT_FIRST",
                    ext_proc_filter(policy, policy.router.grpc.istio_cluster),
                ),
                *_health_check(policy.router),
            ],
        },
    )


def _health_check(router: ir.Router) -> Iterator[Body]:
    """Yield the patch of the router's cluster that finds a router which hangs; a DestinationRule cannot."""
    if has_several(router):
        value = {"health_checks": [health_check(router)], "ignore_health_on_host_removal": True}
        yield _patch("CLUSTER", {"cluster": {"name": router.grpc.istio_cluster}}, "MERGE", value)


def _patch(apply_to: str, match: Body, operation: str, value: Body) -> Body:
    return {
        "applyTo": apply_to,
        "match": {"context": "GATEWAY"} | match,
        "patch": {"operation": operation, "value": value},
    }


def _destination_rule(policy: ir.Policy) -> Object:
    router = policy.router
    return make(
        f"{NETWORKING_GROUP}/v1",
        "DestinationRule",
        f"{policy.gateway.name}-{router.grpc.name}",
        router.span,
        namespace=policy.gateway.namespace,
        spec={
            "host": router.grpc.host,
            "trafficPolicy": {
                "connectionPool": {"http": {"http2MaxRequests": MAX_STREAMS}, "tcp": {"connectTimeout": "500ms"}},
                # The router's pods have no sidecar, so Istio must not use automatic mutual TLS.
                "tls": {"mode": "DISABLE"},
            }
            | istio_ejection(router),
        },
    )
