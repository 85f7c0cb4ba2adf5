"""What the router's pods need for servers that classify text: their keys and authorities, and the way to them."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.listeners import NAMESPACE_NAME
from vsr_compiler.targets.common.workloads import selector

EVERYWHERE = ("0.0.0.0/0", "::/0")
DNS = 53
TRACES = (4317, 4318)
"""Ports of OTLP collectors."""


def volume(policy: ir.Policy) -> list[Body]:
    """Return the volume with keys and authorities of servers; empty if no server needs any."""
    sources: list[Body] = []
    for one in policy.remote_classifiers:
        if one.server is None:
            continue
        if one.server.api_key is not None:
            items = [{"key": one.server.api_key.key, "path": one.key_file}]
            sources.append({"secret": {"name": one.server.api_key.secret, "items": items, "optional": False}})
        if one.server.authority is not None:
            items = [{"key": "ca.crt", "path": one.authority_file}]
            sources.append({"configMap": {"name": one.server.authority, "items": items, "optional": False}})
    # Readable by the pod's group, which owns the volume.
    return [{"name": "detectors", "projected": {"defaultMode": 0o440, "sources": sources}}] if sources else []


def egress(policy: ir.Policy) -> Iterator[Object]:
    """Yield the NetworkPolicy of the router's own connections, if it has servers that classify text.

    They get the text of requests, so the router may connect to nothing else: only to name servers, to collectors of
    traces, to the store of responses, and to where it downloads checkpoints.
    """
    if not policy.remote_classifiers or isinstance(policy.router.implementation, ir.SemanticRouter):
        return
    router = policy.router
    yield make(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        f"{router.grpc.name}-egress",
        router.span,
        namespace=router.grpc.namespace,
        spec={
            "podSelector": {"matchLabels": selector(router.grpc.name)},
            "policyTypes": ["Egress"],
            "egress": list(_rules(policy)),
        },
    )


def _rules(policy: ir.Policy) -> Iterator[Body]:
    yield {"ports": [{"port": DNS, "protocol": "UDP"}, {"port": DNS, "protocol": "TCP"}]}
    yield {"ports": [{"port": port, "protocol": "TCP"} for port in TRACES]}
    servers = [one.server for one in policy.remote_classifiers if one.server is not None]
    store = policy.router.cache
    places = {(server.namespace, server.port) for server in servers}
    if store is not None:
        places.add((store.namespace(policy.router.grpc.namespace), store.port))
    for namespace in sorted({namespace for namespace, _ in places if namespace is not None}):
        # The port of a Service is not that of its pods, which this policy would need.
        yield {"to": [{"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: namespace}}}]}
    ports = {port for namespace, port in places if namespace is None}
    if policy.fetched and policy.router.weights is None:
        ports.add(443)
    if ports:
        yield {
            "to": [{"ipBlock": {"cidr": block}} for block in EVERYWHERE],
            "ports": [{"port": port, "protocol": "TCP"} for port in sorted(ports)],
        }
