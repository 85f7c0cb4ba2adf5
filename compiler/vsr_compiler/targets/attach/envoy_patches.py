"""The attachment to a Gateway of others that Envoy Gateway runs: patches that change only what the router needs.

A Gateway has one ClientTrafficPolicy, which is that of its owner. So what it would say is in the patch: the buffer of
the listener, and a first filter that removes what no client may send, because an early mutation of headers would
replace the owner's. The filters of the router run before that of the request buffer, as on the target envoy-gateway.
"""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.kinds import Wave
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.gateways import ENVOY_GATEWAY
from vsr_compiler.targets.attach.names import attachment_of
from vsr_compiler.targets.common.extproc import TYPES, header_removals, router_filters
from vsr_compiler.targets.common.identity import own_headers
from vsr_compiler.targets.envoy_gateway import catch_all
from vsr_compiler.targets.envoy_gateway.envoy_patch_policy import (
    BEFORE_BUFFER,
    MANAGERS,
    add,
    listener_names,
    router_cluster,
)
from vsr_compiler.targets.envoy_gateway.gateway import ENVOY_API, target
from vsr_schemas.headers import ROUTING

STRIP_NAME = "vsr.strip_client_headers"


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the EnvoyPatchPolicy, the request buffer, and the route that leads to no model."""
    gateway, router = policy.gateway, policy.router
    by_port = ENVOY_GATEWAY[policy.versions["envoy-gateway"]].names_by_port
    cluster = router_cluster(router)
    patches = [add("cluster.v3.Cluster", cluster["name"], {"path": ""}, cluster)]
    for listener in listener_names(gateway, by_port=by_port):
        patches += [
            add("listener.v3.Listener", listener, place, value) for place, value in _changes(policy, cluster["name"])
        ]
    yield make(
        ENVOY_API,
        "EnvoyPatchPolicy",
        f"{gateway.name}-{router.grpc.name}",
        router.span,
        namespace=gateway.namespace,
        wave=Wave.PATCH,
        spec={"type": "JSONPatch", "targetRef": target(policy), "jsonPatches": patches},
    )
    yield from catch_all.request_buffer(policy)
    yield from catch_all.emit(policy)


def _changes(policy: ir.Policy, cluster: str) -> Iterator[tuple[Body, object]]:
    """Yield the places in a listener that are changed, and their values."""
    header = attachment_of(policy).header
    yield {"path": "/per_connection_buffer_limit_bytes"}, policy.router.max_body
    yield {"jsonPath": MANAGERS, "path": "/http_filters/0"}, _strip(policy, header)
    for item in router_filters(policy, cluster, dict.fromkeys((*ROUTING, header)), writes=(header,)):
        yield {"jsonPath": BEFORE_BUFFER}, item


def _strip(policy: ir.Policy, header: str) -> Body:
    """Return the filter before all others, which removes what no client may send."""
    return {
        "name": STRIP_NAME,
        "typed_config": {
            "@type": f"{TYPES}.filters.http.header_mutation.v3.HeaderMutation",
            "mutations": {"request_mutations": header_removals((*own_headers(policy), header))},
        },
    }
