"""The namespaces that the compiler's own pods live in."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Object, make

LEVEL = "pod-security.kubernetes.io/enforce"
BUILT_IN = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


def emit(policy: ir.Policy) -> Iterator[Object]:
    """One Namespace each for the router and for model servers; those of existing Services and Gateways are not ours.

    Its Pod Security level is the strictest that its pods meet: the images of vLLM and the stock router run as root.
    """
    home = policy.router.grpc.namespace
    wanted = {home: policy.router.span}
    rooted = {home} if policy.router.stock else set()
    for endpoint in policy.endpoints:
        if endpoint.server is not None:
            wanted.setdefault(endpoint.service.namespace, endpoint.span)
            if not endpoint.server.simulate:
                rooted.add(endpoint.service.namespace)
    for name, origin in sorted(wanted.items()):
        if name not in BUILT_IN and name != policy.gateway.namespace:
            level = "baseline" if name in rooted else "restricted"
            yield make("v1", "Namespace", name, origin, labels={LEVEL: level})
