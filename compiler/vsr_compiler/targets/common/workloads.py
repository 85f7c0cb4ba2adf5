"""Builders of pods, Deployments and Services. They write out every default that the API server would add."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vsr_compiler import ir
from vsr_compiler.manifests.expansion import escape_references
from vsr_compiler.manifests.objects import Body
from vsr_schemas.quantities import amount, is_device

HARDENED: Body = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
"""Security context of a container of the restricted Pod Security level with a read-only root file system."""

NOBODY = 65_532
"""The user of distroless images."""
UNPRIVILEGED: Body = {
    "fsGroup": NOBODY,
    "runAsGroup": NOBODY,
    "runAsNonRoot": True,
    "runAsUser": NOBODY,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""Security context of a pod of the restricted Pod Security level."""

ROLLING: Body = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
"""Update strategy: a new pod is ready before an old one stops."""

READY = "vsr.dev/ready-replicas"
"""Annotation: the number of a Deployment's replicas that become ready, if the others are standbys."""


def selector(name: str) -> dict[str, str]:
    """Return the labels that select the pods of a Service or Deployment."""
    return {"app.kubernetes.io/name": name}


def deployment_spec(
    name: str,
    replicas: int,
    pod: Body,
    *,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    strategy: Body | None = None,
) -> Body:
    """Return the spec of a Deployment. ``labels`` distinguish Deployments behind one Service."""
    chosen = selector(name) | (labels or {})
    metadata: Body = {"labels": chosen}
    if annotations:
        metadata["annotations"] = annotations
    return {
        "progressDeadlineSeconds": 3600,
        "replicas": replicas,
        "revisionHistoryLimit": 10,
        "selector": {"matchLabels": chosen},
        "strategy": strategy
        or {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
        "template": {
            "metadata": metadata,
            "spec": {"dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler"}
            | pod,
        },
    }


def container(
    name: str,
    image: str,
    *,
    args: Sequence[str],
    command: Sequence[str] = (),
    env: Sequence[Body] = (),
    **fields: object,
) -> Body:
    """Return a container. Arguments, command and variables reach its process as they are given here."""
    texts: Body = {"args": [escape_references(arg) for arg in args]}
    if command:
        texts["command"] = [escape_references(word) for word in command]
    if env:
        texts["env"] = [
            variable | {"value": escape_references(variable["value"])} if "value" in variable else variable
            for variable in env
        ]
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        **texts,
        **fields,
    }


def resources(requests: Mapping[str, str], limits: Mapping[str, str], replaced: ir.Resources | None) -> Body:
    """Return a container's resources: the defaults, with those that an environment replaces.

    If an environment sets only a request or only a limit, the other default is adjusted as the API server requires: no
    request above its limit, and for devices both equal.
    """
    if replaced is None:
        return {"limits": dict(limits), "requests": dict(requests)}
    own_requests, own_limits = dict(replaced.requests), dict(replaced.limits)
    for name, limit in replaced.limits.items():
        if name not in own_requests and (is_device(name) or _exceeds(requests.get(name), limit)):
            own_requests[name] = limit
    for name, request in replaced.requests.items():
        if name not in own_limits and (is_device(name) or _exceeds(request, limits.get(name))):
            own_limits[name] = request
    return {"limits": {**limits, **own_limits}, "requests": {**requests, **own_requests}}


def _exceeds(request: str | None, limit: str | None) -> bool:
    """Return whether both are set and the request exceeds the limit."""
    return request is not None and limit is not None and (amount(request) or 0) > (amount(limit) or 0)


def spread(labels: Mapping[str, str]) -> list[Body]:
    """Return a constraint that spreads replicas over nodes if possible."""
    return [
        {
            "labelSelector": {"matchLabels": dict(labels)},
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
        }
    ]


def http_probe(path: str, port: str, period: int, failures: int) -> Body:
    """Return an HTTP probe; period in seconds."""
    return {
        "httpGet": {"path": path, "port": port, "scheme": "HTTP"},
        "failureThreshold": failures,
        "periodSeconds": period,
        "successThreshold": 1,
        "timeoutSeconds": 5,
    }


def grpc_probe(service: str, port: int, period: int, failures: int) -> Body:
    """Return a probe of the gRPC health protocol; period in seconds."""
    return {
        "grpc": {"port": port, "service": service},
        "failureThreshold": failures,
        "periodSeconds": period,
        "successThreshold": 1,
        "timeoutSeconds": 5,
    }


def field_env(name: str, path: str) -> Body:
    """Return an environment variable from a field of the pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def container_port(name: str, port: int) -> Body:
    """Return a port of a container."""
    return {"name": name, "containerPort": port, "protocol": "TCP"}


def service_spec(pods: Mapping[str, str], ports: list[Body]) -> Body:
    """Return the spec of a ClusterIP Service for the pods with these labels."""
    return {
        "internalTrafficPolicy": "Cluster",
        "ipFamilyPolicy": "SingleStack",
        "ports": ports,
        "selector": dict(pods),
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }


def service_port(name: str, port: int, target: str | int, app_protocol: str) -> Body:
    """Return a port of a Service. A mesh derives the protocol from the name and `appProtocol`."""
    return {"appProtocol": app_protocol, "name": name, "port": port, "protocol": "TCP", "targetPort": target}


def storage_class(placement: ir.Placement) -> Body:
    """Return the field of a claim that names its StorageClass; without one, the cluster's default is used."""
    return {} if placement.storage_class is None else {"storageClassName": placement.storage_class}


def access_mode(holders: int) -> str:
    """Return the access mode of a volume that this many pods mount."""
    return "ReadWriteOnce" if holders == 1 else "ReadWriteMany"
