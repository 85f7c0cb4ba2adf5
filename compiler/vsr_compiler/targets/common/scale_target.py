"""What replicas belong to: the one place that names the object which autoscalers change."""

from __future__ import annotations

import json

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body

Owner = tuple[str, str]
"""API version and kind of the object that has replicas."""
DEPLOYMENT: Owner = ("apps/v1", "Deployment")


def scale_target(service: ir.ServiceRef, owner: Owner = DEPLOYMENT) -> Body:
    """Return the reference of an autoscaler in the same namespace."""
    return {"apiVersion": owner[0], "kind": owner[1], "name": service.name}


def without_replicas(service: ir.ServiceRef, owner: Owner = DEPLOYMENT) -> Body:
    """Return the patch that removes `replicas`, which each sync would reset."""
    reference = scale_target(service, owner)
    group, _, version = reference["apiVersion"].rpartition("/")
    target = {
        "group": group,
        "version": version,
        "kind": reference["kind"],
        "name": service.name,
        "namespace": service.namespace,
    }
    return {"target": target, "patch": json.dumps([{"op": "remove", "path": "/spec/replicas"}])}
