"""What replicas belong to: the one place that names the object which autoscalers change."""

from __future__ import annotations

import json

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body


def scale_target(service: ir.ServiceRef) -> Body:
    """Return the reference of an autoscaler in the same namespace."""
    return {"apiVersion": "apps/v1", "kind": "Deployment", "name": service.name}


def without_replicas(service: ir.ServiceRef) -> Body:
    """Return the patch that removes `replicas`, which each sync would reset."""
    reference = scale_target(service)
    group, _, version = reference["apiVersion"].rpartition("/")
    target = {
        "group": group,
        "version": version,
        "kind": reference["kind"],
        "name": service.name,
        "namespace": service.namespace,
    }
    return {"target": target, "patch": json.dumps([{"op": "remove", "path": "/spec/replicas"}])}
