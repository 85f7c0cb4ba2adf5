"""A component that lets the router's replicas follow its load: the CPU's, or on GPUs the engine's queue."""

from __future__ import annotations

import json

from vsr_compiler import ir
from vsr_compiler.manifests.objects import make
from vsr_compiler.targets.common.components import Component

MOST = 4
"""Times the policy's replicas."""
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
}
"""Classification on a CPU is bound by it, so its use is what replicas follow."""
QUEUE = {
    "type": "Pods",
    "pods": {
        "metric": {"name": "vsr_engine_waiting_tokens"},
        "target": {"type": "AverageValue", "averageValue": "16384"},
    },
}
"""A GPU shows its load in what waits for it: one full batch a pod. Needs an adapter for custom metrics."""


def component(policy: ir.Policy) -> Component:
    """The HorizontalPodAutoscaler; the Deployment no longer says how many, or each sync would reset the number."""
    router = policy.router
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": router.grpc.name}
    scaler = make(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        router.grpc.name,
        router.span,
        namespace=router.grpc.namespace,
        spec={
            "minReplicas": router.replicas,
            "maxReplicas": router.replicas * MOST,
            "metrics": [QUEUE if policy.on_gpu else CPU],
            "scaleTargetRef": target,
        },
    )
    drop = {
        "target": {
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "name": router.grpc.name,
            "namespace": router.grpc.namespace,
        },
        "patch": json.dumps([{"op": "remove", "path": "/spec/replicas"}]),
    }
    return Component("autoscaling", (scaler,), (drop,))
