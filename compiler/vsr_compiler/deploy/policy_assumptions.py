"""Assumptions of a policy: Services and pods that exist although the compiler does not emit them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from vsr_compiler import ir
from vsr_compiler.deploy.overlays.resolve import resolve
from vsr_compiler.link.environments import PICKERS
from vsr_compiler.targets import TARGETS, render
from vsr_compiler.targets.attach import gateways
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.verify import Assumptions


def policy_assumptions(policy: ir.Policy, charts: Iterable[Values]) -> Assumptions:
    """Return what exists without the compiler.

    These are the Services and pods of endpoints that are served elsewhere, the pods of the store of responses, the
    Services and pods of charts, the ConfigMaps and claims that placement names, and what the control planes of the
    policy's targets provide.

    Args:
        policy: The linked policy.
        charts: The Helm values of every target of the policy.
    """
    charts = list(charts)
    services = [service for values in charts for service in values.services]
    pods = [pods for values in charts for pods in values.pods]
    services += [one.server.service for one in policy.remote_classifiers if one.server and one.server.service]
    pools: set[tuple[str, str, str]] = set()
    for endpoint in policy.endpoints:
        match endpoint.kind:
            case ir.ExistingService() | ir.Provider():
                services.append(endpoint.service)
            case ir.ExistingPods(labels=labels):
                pods.append((endpoint.service.namespace, labels))
            case ir.ExistingPool():
                pools.add(("InferencePool", endpoint.service.namespace, endpoint.service.name))
            case ir.VllmServer() | ir.ForeignRoute():
                pass  # the compiler emits its Service and its pods, or refers to none
            case _ as unreachable:
                assert_never(unreachable)
    objects = {("Service", service.namespace, service.name) for service in services}
    parts = (part for name in policy.targets for part, _ in TARGETS[name].parts(policy))
    provided = {item for part in parts for item in part.provided}
    attached = list(_attached(policy))
    objects |= {("Gateway", one.gateway.namespace, one.gateway.name) for one in attached}
    proxies = [gateways.pods(one) for one in attached]
    pods += [(one.namespace, tuple(sorted(one.labels.items()))) for one in proxies]
    if (store := policy.router.cache) is not None and store.pods is not None:
        namespace = store.namespace(policy.router.grpc.namespace)
        pods += [(namespace, store.pods)] if namespace is not None else []
    return Assumptions(frozenset(objects | pools | provided | set(existing_objects(policy))), tuple(pods))


def _attached(policy: ir.Policy) -> Iterator[ir.Policy]:
    """Yield the policy as each environment that attaches to a Gateway of others has it, and as their base has it."""
    for environment in policy.environments:
        if environment.attachment is not None:
            yield resolve(policy, environment)
            yield policy


def existing_objects(policy: ir.Policy) -> Iterator[tuple[str, str, str]]:
    """Yield kind, namespace and name of the claims and ConfigMaps that placement and servers of classifiers name."""
    placements = [("router", policy.router.grpc.namespace, policy.router.placement)]
    for endpoint in policy.endpoints:
        namespace, server = endpoint.service.namespace, endpoint.server
        if server is not None:
            placements.append((endpoint.name, namespace, server.placement))
            if server.claim is not None:
                yield ("PersistentVolumeClaim", namespace, server.claim)
        if endpoint.pool is not None:
            placements.append((PICKERS, namespace, endpoint.pool.picker.placement))
        elif server is not None or endpoint.pods is not None:
            placements.append((PICKERS, namespace, ir.Placement()))
    yield from _authorities(policy)
    for key, namespace, placement in placements:
        others = [environment.placement.get(key) for environment in policy.environments]
        for words in (placement, *(other.placement for other in others if other is not None)):
            for kind, name in words.existing:
                yield (kind, namespace, name)


def _authorities(policy: ir.Policy) -> Iterator[tuple[str, str, str]]:
    for one in policy.remote_classifiers:
        if one.server is not None and one.server.authority is not None:
            yield ("ConfigMap", policy.router.grpc.namespace, one.server.authority)


def rendered_assumptions(policy: ir.Policy) -> Assumptions:
    """Return the same for a policy that has not been rendered."""
    return policy_assumptions(
        policy, [values for name in policy.targets for values in render(TARGETS[name], policy).values]
    )
