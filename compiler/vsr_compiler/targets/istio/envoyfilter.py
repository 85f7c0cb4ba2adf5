"""The EnvoyFilter that makes Istio's gateway call the router, and the DestinationRule for the connection.

The router's filters run after those that authenticate (ext_authz, jwt_authn, rbac). They see the client's own
credentials, and nobody whom they refuse reaches the router. Endpoint pickers come after: they choose a pod of the pool
that the router's decision leads to.

Routes to models match a header that is not there when a request arrives, and Envoy skips ext_authz for a request
without a route. So the last route of every virtual host has no conditions; the gateway answers by itself there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases import filter_order
from vsr_compiler.targets.common import attempts
from vsr_compiler.targets.common.extproc import (
    MAX_STREAMS,
    TYPES,
    buffer_limit,
    client_http2,
    client_timeouts,
    connection_limit,
    early_header_mutation,
    router_filters,
)
from vsr_compiler.targets.common.gateway_api import NO_MODEL_BODY, NO_MODEL_STATUS
from vsr_compiler.targets.common.pools import Pooled, existing, picker_service
from vsr_compiler.targets.common.router_failover import has_several, health_check, istio_ejection
from vsr_compiler.targets.istio.gateway import route_table
from vsr_compiler.targets.istio.kinds import NETWORKING_GROUP

HCM = "envoy.filters.network.http_connection_manager"


PICKERS: Body = {
    "name": filter_order.PICKER,
    "typed_config": {
        "@type": f"{TYPES}.filters.http.ext_proc.v3.ExternalProcessor",
        "failure_mode_allow": True,
        "grpc_service": {"envoy_grpc": {"cluster_name": "dummy"}, "timeout": "10s"},
        "message_timeout": "1000s",
        "metadata_options": {
            "forwarding_namespaces": {"untyped": ["envoy.lb"]},
            "receiving_namespaces": {"untyped": ["envoy.lb"]},
        },
        "processing_mode": {"request_header_mode": "SKIP", "response_header_mode": "SKIP"},
    },
}
"""The filter as Istio writes it (`listener_inference.go`, `InferencePoolExtProc`). Routes to pools name the picker."""
REFERENCED = "envoyfilter.istio.io/referenced-services"
"""With PILOT_FILTER_GATEWAY_CLUSTER_CONFIG=true a Gateway gets the clusters of its routes, and those named here."""


def emitter(pooled: Pooled) -> Callable[[ir.Policy], Iterator[Object]]:
    """Return the emitter of both objects.

    Args:
        pooled: The endpoints that the target puts behind pools.
    """

    def emit(policy: ir.Policy) -> Iterator[Object]:
        """Yield both, in the gateway's namespace, where Istio looks first."""
        used = {endpoint.name for model in policy.models for endpoint, _ in model.endpoints}
        yield _envoy_filter(policy, [endpoint for endpoint in pooled(policy) if endpoint.name in used])
        yield destination_rule(policy)

    return emit


def _envoy_filter(policy: ir.Policy, pools: list[ir.Endpoint]) -> Object:
    gateway, router = policy.gateway, policy.router.grpc
    manager = {
        "name": HCM,
        "typed_config": {"@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"}
        | early_header_mutation(policy)
        | client_http2(policy)
        | client_timeouts(policy),
    }
    behind = bool(pools or existing(policy))
    anchor = filter_order.PICKER if behind else filter_order.ISTIO_ANCHOR
    services = [router, *(picker_service(endpoint) for endpoint in pools)]
    return make(
        f"{NETWORKING_GROUP}/v1alpha3",
        "EnvoyFilter",
        f"{gateway.name}-{router.name}",
        policy.router.span,
        namespace=gateway.namespace,
        annotations={REFERENCED: ",".join(f"{service.namespace}/{service.host}" for service in services)},
        spec={
            "targetRefs": [{"group": GATEWAY_GROUP, "kind": "Gateway", "name": gateway.name}],
            "configPatches": [
                patch("LISTENER", {}, "MERGE", buffer_limit(policy)),
                patch("NETWORK_FILTER", chain(), "INSERT_BEFORE", connection_limit()),
                patch("NETWORK_FILTER", chain(), "MERGE", manager),
                # Without the anchor Istio inserts nothing, and no route to a model matches.
                *(
                    patch("HTTP_FILTER", chain({"subFilter": {"name": anchor}}, port), "INSERT_BEFORE", item)
                    for port in _ports(gateway)
                    for item in router_filters(policy, router.istio_cluster, retries=True)
                ),
                *_attempts(policy, pickers=behind),
                patch("HTTP_ROUTE", {}, "ADD", no_model()),
                *probes(policy.router),
            ],
        },
    )


def _attempts(policy: ir.Policy, *, pickers: bool) -> Iterator[Body]:
    """Yield the patches for routes with several attempts: a route and a cluster for each, and one listener.

    The attempts have the routes of the Gateway's own listener, and so the filter by which these reach pickers.
    """
    chains = attempts.chains(policy)
    for one in chains:
        yield patch("CLUSTER", {}, "ADD", attempts.cluster(one))
        # The route with `onFailure: default-model` takes whatever comes behind it.
        yield patch("HTTP_ROUTE", {}, "INSERT_FIRST", attempts.route(policy, one))
    if chains:
        table = {
            "rds": {
                "config_source": {"ads": {}, "resource_api_version": "V3"},
                "route_config_name": route_table(policy.gateway),
            }
        }
        between = [PICKERS] if pickers else []
        value = attempts.listener(policy, policy.router.grpc.istio_cluster, table, between)
        yield patch("LISTENER", {}, "ADD", value)


def no_model() -> Body:
    """Return the route without conditions. Istio appends it to every virtual host (envoyfilter/rc_patch.go)."""
    content_type = {"header": {"key": "content-type", "value": "application/json"}}
    return {
        "name": "vsr.no_model",
        "match": {"prefix": "/"},
        "direct_response": {"status": NO_MODEL_STATUS, "body": {"inline_string": NO_MODEL_BODY}},
        "response_headers_to_add": [content_type | {"append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}],
    }


def _ports(gateway: ir.Gateway) -> list[int | None]:
    """Return the ports that need the router's filters; None for all of them, unless a port only redirects."""
    ports = dict.fromkeys(section.listener.port for section in gateway.model_sections)
    return [None] if len(gateway.model_sections) == len(gateway.sections) else [*ports]


def chain(below: Body | None = None, port: int | None = None) -> Body:
    """Return the match of the connection managers of a Gateway, with what is below them, on one port or on all."""
    number = {} if port is None else {"portNumber": port}
    return {"listener": {**number, "filterChain": {"filter": {"name": HCM} | (below or {})}}}


def probes(router: ir.Router) -> Iterator[Body]:
    """Yield the patch of the router's cluster that finds a router which hangs; a DestinationRule cannot."""
    if has_several(router):
        value = {"health_checks": [health_check(router)], "ignore_health_on_host_removal": True}
        yield patch("CLUSTER", {"cluster": {"name": router.grpc.istio_cluster}}, "MERGE", value)


def patch(apply_to: str, match: Body, operation: str, value: Body | None) -> Body:
    """Return a patch of a Gateway's configuration; without a value it removes."""
    change: Body = {"operation": operation} | ({} if value is None else {"value": value})
    return {
        "applyTo": apply_to,
        "match": {"context": "GATEWAY"} | match,
        "patch": change,
    }


def destination_rule(policy: ir.Policy) -> Object:
    """Return the DestinationRule for the connection to the router."""
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
