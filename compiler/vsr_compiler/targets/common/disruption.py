"""PodDisruptionBudgets: how many pods a drain of nodes may take away at once."""

from __future__ import annotations

from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.diagnostics import Span
from vsr_compiler.manifests.objects import Object, make
from vsr_compiler.targets.common.workloads import selector


def budget(service: ir.ServiceRef, origin: Span) -> Object:
    """Return the budget of the pods behind a Service: at most one of them is away."""
    return make(
        "policy/v1",
        "PodDisruptionBudget",
        service.name,
        origin,
        namespace=service.namespace,
        spec={
            # With `minAvailable` instead, a single replica could never be drained.
            "maxUnavailable": 1,
            "selector": {"matchLabels": selector(service.name)},
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    )


def of_servers(endpoint: ir.Endpoint, server: ir.VllmServer) -> Iterator[Object]:
    """Yield the budget of a model server with several pods, or one that is scaled to several.

    Pods of both roles of a disaggregated pool have one budget. Endpoint pickers have none: only the leader of several
    replicas is ready, so a budget would never let it go.
    """
    if max(server.replicas, server.autoscaling.max if server.autoscaling is not None else 0) > 1:
        yield budget(endpoint.service, endpoint.span)
