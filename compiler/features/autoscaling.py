"""A component that lets the router's replicas follow its load. It needs the cluster's resource metrics."""

from __future__ import annotations

import json

from compiler.features.components import Component
from compiler.features.objects import make
from compiler.link import ir

MOST = 4
"""Times the policy's replicas. Classification is bound by the CPU, so its use is what replicas follow."""


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
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
                }
            ],
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
