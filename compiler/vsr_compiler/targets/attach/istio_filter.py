"""The attachment to an Istio Gateway of others: an EnvoyFilter that changes only what the router needs.

Endpoint pickers must come after the router, and Istio has their filter only while a route leads to a pool. Whether one
does is up to others, and may change. So the filter for pickers is taken out and put back behind the router's: without
routes to pools it does nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import GATEWAY_GROUP
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases import filter_order
from vsr_compiler.targets.attach.names import attachment_of
from vsr_compiler.targets.common.extproc import TYPES, buffer_limit, early_header_mutation, router_filters
from vsr_compiler.targets.istio.envoyfilter import (
    HCM,
    PICKERS,
    REFERENCED,
    chain,
    destination_rule,
    no_model,
    patch,
    probes,
)
from vsr_compiler.targets.istio.kinds import NETWORKING_GROUP
from vsr_schemas.headers import SELECTED_MODEL


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the EnvoyFilter and the DestinationRule, in the Gateway's namespace."""
    gateway, router = policy.gateway, policy.router.grpc
    yield make(
        f"{NETWORKING_GROUP}/v1alpha3",
        "EnvoyFilter",
        f"{gateway.name}-{router.name}",
        policy.router.span,
        namespace=gateway.namespace,
        annotations={REFERENCED: f"{router.namespace}/{router.host}"},
        spec={
            "targetRefs": [{"group": GATEWAY_GROUP, "kind": "Gateway", "name": gateway.name}],
            "configPatches": [
                *(item for port in ports(gateway) for item in _listener(policy, port)),
                patch("HTTP_ROUTE", {}, "ADD", no_model()),
                *probes(policy.router),
            ],
        },
    )
    yield destination_rule(policy)


def ports(gateway: ir.Gateway) -> list[int | None]:
    """Return the ports whose listeners the policy names; None for all of the Gateway if it names none."""
    if gateway.listeners == (ir.HTTP,):
        return [None]
    return list(dict.fromkeys(section.listener.port for section in gateway.model_sections))


def _listener(policy: ir.Policy, port: int | None) -> Iterator[Body]:
    header = attachment_of(policy).header
    manager = {
        "name": HCM,
        "typed_config": {"@type": f"{TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"}
        | early_header_mutation(policy, (header,)),
    }
    cluster = policy.router.grpc.istio_cluster
    yield patch("LISTENER", {} if port is None else {"listener": {"portNumber": port}}, "MERGE", buffer_limit(policy))
    yield patch("HTTP_FILTER", chain({"subFilter": {"name": filter_order.PICKER}}, port), "REMOVE", None)
    yield patch("NETWORK_FILTER", chain(port=port), "MERGE", manager)
    removed = dict.fromkeys((SELECTED_MODEL, header))
    for item in (*router_filters(policy, cluster, removed, writes=(header,)), PICKERS):
        yield patch(
            "HTTP_FILTER", chain({"subFilter": {"name": filter_order.ISTIO_ANCHOR}}, port), "INSERT_BEFORE", item
        )
