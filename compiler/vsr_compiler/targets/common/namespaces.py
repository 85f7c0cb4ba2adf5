"""The namespaces of pods that the compiler writes."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Object, make

LEVEL = "pod-security.kubernetes.io/enforce"
BUILT_IN = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the namespaces of the router and of model servers. Those of existing Services and Gateways exist already.

    The Pod Security level is the strictest that the pods meet: the images of vLLM and the stock router run as root.
    """
    router_namespace = policy.router.grpc.namespace
    origins = {router_namespace: policy.router.span}
    as_root = {router_namespace} if isinstance(policy.router.implementation, ir.SemanticRouter) else set()
    for endpoint in policy.endpoints:
        if endpoint.server is not None:
            origins.setdefault(endpoint.service.namespace, endpoint.span)
            if not endpoint.server.simulate:
                as_root.add(endpoint.service.namespace)
    for name, origin in sorted(origins.items()):
        if name not in BUILT_IN and name != policy.gateway.namespace:
            level = "baseline" if name in as_root else "restricted"
            yield make("v1", "Namespace", name, origin, labels={LEVEL: level})
