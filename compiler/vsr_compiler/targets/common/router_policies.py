"""The router's NetworkPolicy and PodDisruptionBudget."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common import cache_store, classifier_servers
from vsr_compiler.targets.common.disruption import budget
from vsr_compiler.targets.common.gateway_api import GatewayPods, PodsOfGateway
from vsr_compiler.targets.common.listeners import NAMESPACE_NAME
from vsr_compiler.targets.common.workloads import selector


def emitter(pods: PodsOfGateway) -> Callable[[ir.Policy], Iterator[Object]]:
    """Return the emitter for a router that is called by these proxies."""

    def emit(policy: ir.Policy) -> Iterator[Object]:
        """Yield the objects, with the NetworkPolicies of the store of responses and of detectors."""
        yield network_policy(policy, pods(policy))
        yield from cache_store.network_policy(policy)
        yield from classifier_servers.egress(policy)
        yield budget(policy.router.grpc, policy.router.span)

    return emit


def network_policy(policy: ir.Policy, pods: GatewayPods) -> Object:
    """Return the NetworkPolicy: only the gateway reaches the gRPC port, only pods of the namespace the HTTP port.

    Probes need no rule, since traffic from a pod's own node is always allowed.
    """
    router = policy.router
    from_gateway: Body = {
        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: pods.namespace}},
        "podSelector": {"matchLabels": dict(pods.labels)},
    }
    return make(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        router.grpc.name,
        router.span,
        namespace=router.grpc.namespace,
        spec={
            "podSelector": {"matchLabels": selector(router.grpc.name)},
            "policyTypes": ["Ingress"],
            "ingress": [
                {"from": [from_gateway], "ports": [{"port": router.grpc.port, "protocol": "TCP"}]},
                {"from": [{"podSelector": {}}], "ports": [{"port": router.http.port, "protocol": "TCP"}]},
            ],
        },
    )
