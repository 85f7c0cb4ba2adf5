"""What the store of cached responses needs on a cluster: files for the router, and who may reach the store."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.targets.common.listeners import NAMESPACE_NAME
from vsr_compiler.targets.common.workloads import selector


def file_sources(policy: ir.Policy) -> list[Body]:
    """Return the sources of a volume with the login and the CA of the store; empty without a store."""
    store = policy.router.cache
    return [
        {"secret": {"name": secret, "items": [{"key": key, "path": name}], "optional": False}}
        for secret, key, name in (store.files if store else ())
    ]


def network_policy(policy: ir.Policy) -> Iterator[Object]:
    """Yield the NetworkPolicy of the store's pods, if the policy knows their labels: only the router reaches them."""
    router, store = policy.router, policy.router.cache
    namespace = store.namespace(router.grpc.namespace) if store is not None else None
    if store is None or store.pods is None or namespace is None:
        return
    routers: Body = {
        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: router.grpc.namespace}},
        "podSelector": {"matchLabels": selector(router.grpc.name)},
    }
    yield make(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        f"{router.grpc.name}-cache",
        store.span,
        namespace=namespace,
        spec={
            "podSelector": {"matchLabels": dict(store.pods)},
            "policyTypes": ["Ingress"],
            "ingress": [{"from": [routers], "ports": [{"port": store.port, "protocol": "TCP"}]}],
        },
    )
