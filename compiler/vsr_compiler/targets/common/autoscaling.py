"""The component `autoscaling`: router replicas follow CPU use, or on GPUs the queue of the inference engine."""

from __future__ import annotations

import json

from vsr_compiler import ir
from vsr_compiler.manifests.objects import make
from vsr_compiler.targets.common.components import Component

MAX_FACTOR = 4
"""The maximum number of replicas, as a multiple of the policy's."""
CPU = {
    "type": "Resource",
    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
}
"""On a CPU, classification is CPU-bound, so replicas follow CPU use."""
QUEUE = {
    "type": "Pods",
    "pods": {
        "metric": {"name": "vsr_engine_waiting_tokens"},
        "target": {"type": "AverageValue", "averageValue": "16384"},
    },
}
"""On a GPU, the queue shows the load: one full batch per pod. Needs an adapter for custom metrics."""


def component(policy: ir.Policy) -> Component:
    """Return the HorizontalPodAutoscaler, and a patch that removes `replicas`, which each sync would reset."""
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
            "maxReplicas": router.replicas * MAX_FACTOR,
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
