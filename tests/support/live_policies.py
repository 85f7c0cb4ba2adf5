"""A cluster in which the output of a policy is live: every object with the status that its controllers write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from support.fake_cluster import GENERATION, Body, FakeCluster
from vsr_compiler.deploy.file_releases import is_output
from vsr_compiler.live.desired import environments
from vsr_compiler.manifests import lock as locks
from vsr_compiler.manifests.kinds import (
    HealthyByAncestors,
    HealthyByConditions,
    HealthyUnlessParentRejects,
    HealthyWhenAttached,
)
from vsr_compiler.manifests.tree import LOCK
from vsr_compiler.targets import kinds
from vsr_compiler.verify.files import read_worlds
from vsr_compiler.verify.manifest import Manifest


def condition(
    name: str, value: str = "True", reason: str = "", message: str = "", generation: int = GENERATION
) -> Body:
    """A condition about a generation of an object."""
    return {
        "type": name,
        "status": value,
        "reason": reason or name,
        "message": message,
        "observedGeneration": generation,
        "lastTransitionTime": "2026-12-01T12:00:00Z",
    }


@cache
def manifests_of(folder: Path, environment: str) -> list[Manifest]:
    """The objects of an environment in an output folder. Nobody changes them."""
    target = environments(locks.parse((folder / LOCK).read_bytes(), LOCK))[environment]
    read = read_worlds((folder / target / "overlays" / environment,), is_output, namespace="default")
    return [item for world in read.worlds for item in world.manifests]


def applied(cluster: FakeCluster, folder: Path, environment: str, manager: str = "argocd-controller") -> list[Manifest]:
    """Apply an environment, as if every controller had accepted it and every pod were ready."""
    manifests = manifests_of(folder, environment)
    for item in manifests:
        cluster.apply(_tracked(item, manager), manager, **healthy(item))
    for item in manifests:
        if item.kind == "Deployment":
            cluster.pods += pods_of(item)
    return manifests


def _tracked(item: Manifest, manager: str) -> Body:
    """The object with what a controller adds to all that it applies."""
    kind, added = {
        "argocd-controller": ("annotations", {"argocd.argoproj.io/tracking-id": f"quickstart-dev:{item.name}"}),
        "kustomize-controller": (
            "labels",
            {"kustomize.toolkit.fluxcd.io/name": "a", "kustomize.toolkit.fluxcd.io/namespace": "b"},
        ),
    }.get(manager, ("annotations", {}))
    metadata = item.body["metadata"]
    return {**item.body, "metadata": {**metadata, kind: {**metadata.get(kind, {}), **added}}}


def healthy(item: Manifest) -> Mapping[str, Any]:
    """The status of an object that is in force."""
    accepted = [condition("Accepted"), condition("ResolvedRefs")]
    known = {
        "Gateway": {"conditions": [condition("Accepted"), condition("Programmed")], "listeners": []},
        "GatewayClass": {"conditions": accepted},
        "HTTPRoute": {
            "parents": [
                {"parentRef": parent, "controllerName": "example.com/gateway", "conditions": accepted}
                for parent in item.spec.get("parentRefs", [])
            ]
        },
        "PersistentVolumeClaim": {"phase": "Bound"},
        "Namespace": {"phase": "Active"},
        "Deployment": _available(item.spec.get("replicas", 1)),
    }
    if item.kind in known:
        return known[item.kind]
    match kinds()[item.group, item.kind].health:
        case HealthyByConditions(conditions):
            return {"conditions": [condition(name) for name in conditions]}
        case HealthyByAncestors(conditions):
            return {
                "ancestors": [{"ancestorRef": {"name": "gw"}, "conditions": [condition(one) for one in conditions]}]
            }
        case HealthyWhenAttached(taken, attached):
            both = [condition(taken, reason="Valid"), condition(attached)]
            return {"ancestors": [{"ancestorRef": {"name": "gw"}, "conditions": both}]}
        case HealthyUnlessParentRejects():
            return {"parents": [{"parentRef": {"name": "gw"}, "conditions": accepted}]}
        case _:
            return {}


def _available(replicas: int) -> Body:
    counts = dict.fromkeys(("replicas", "updatedReplicas", "availableReplicas", "readyReplicas"), replicas)
    return {"observedGeneration": GENERATION, **counts}


def pods_of(deployment: Manifest, names: Iterable[str] = ()) -> list[Body]:
    """The pods of a Deployment, all of them ready."""
    template = deployment.spec["template"]
    count = deployment.spec.get("replicas", 1)
    container = template["spec"]["containers"][0]["name"]
    return [
        {
            "metadata": {
                "name": name,
                "namespace": deployment.namespace,
                "labels": dict(template["metadata"]["labels"]),
            },
            "spec": template["spec"],
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True"}],
                "containerStatuses": [{"name": container, "restartCount": 0, "state": {"running": {}}}],
            },
        }
        for name in names or [f"{deployment.name}-{number}" for number in range(count)]
    ]
