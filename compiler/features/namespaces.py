"""The namespaces that the compiler's own pods live in."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.features.objects import Object, make
from compiler.link import ir

BUILT_IN = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


def emit(policy: ir.Policy) -> Iterator[Object]:
    """One Namespace each for the router and for model servers; those of existing Services and Gateways are not ours."""
    wanted = {policy.router.grpc.namespace: policy.router.span}
    for endpoint in policy.endpoints:
        if endpoint.server is not None:
            wanted.setdefault(endpoint.service.namespace, endpoint.span)
    for name, origin in sorted(wanted.items()):
        if name not in BUILT_IN and name != policy.gateway.namespace:
            yield make("v1", "Namespace", name, origin)
