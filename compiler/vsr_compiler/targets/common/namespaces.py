"""The namespaces of pods that the compiler writes."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic, Span
from vsr_compiler.manifests.objects import Object, make

LEVEL = "pod-security.kubernetes.io/enforce"
BUILT_IN = frozenset({"default", "kube-system", "kube-public", "kube-node-lease"})


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the namespaces of the router and of model servers. Those of existing Services and Gateways exist already.

    The Pod Security level is the strictest that the pods meet: the images of vLLM and the stock router run as root.
    """
    for name, (level, origin) in _written(policy).items():
        yield make("v1", "Namespace", name, origin, labels={LEVEL: level})


def preflight(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR315: the Gateway's namespace must exist. The compiler does not write it, because others may use it as well."""
    name = policy.gateway.namespace
    existing = {
        endpoint.service.namespace
        for endpoint in policy.endpoints
        if isinstance(endpoint.kind, ir.ExistingService | ir.ExistingPods | ir.ExistingPool)
    }
    if name not in BUILT_IN | existing:
        message = f"the namespace `{name}` of the Gateway must exist"
        hint = f"Create it before the first apply: `kubectl create namespace {name}`."
        yield Diagnostic("VSR315", message, policy.gateway.span, hint)


def cluster_names(policy: ir.Policy) -> Iterator[tuple[str, str, str]]:
    """Yield the namespaces as cluster-scoped objects."""
    return (("", "Namespace", name) for name in _written(policy))


def _written(policy: ir.Policy) -> dict[str, tuple[str, Span]]:
    """Return the Pod Security level and the origin of each namespace that the compiler writes, sorted by name."""
    router_namespace = policy.router.grpc.namespace
    origins = {router_namespace: policy.router.span}
    as_root = {router_namespace} if isinstance(policy.router.implementation, ir.SemanticRouter) else set()
    for endpoint in policy.endpoints:
        if endpoint.server is not None:
            origins.setdefault(endpoint.service.namespace, endpoint.span)
            if not endpoint.server.simulate:
                as_root.add(endpoint.service.namespace)
    return {
        name: ("baseline" if name in as_root else "restricted", origin)
        for name, origin in sorted(origins.items())
        if name not in BUILT_IN and name != policy.gateway.namespace
    }
