"""Parts of pods that several features share, with every default that the API server would fill in written out."""

from __future__ import annotations

from collections.abc import Mapping

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_schemas.quantities import amount, is_device

HARDENED: Body = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
"""A container of the restricted Pod Security level that writes to its volumes only."""

NOBODY = 65_532
"""The user that distroless images run as."""
UNPRIVILEGED: Body = {
    "fsGroup": NOBODY,
    "runAsGroup": NOBODY,
    "runAsNonRoot": True,
    "runAsUser": NOBODY,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""A pod of the restricted Pod Security level."""

READY = "vsr.dev/ready-replicas"
"""How many of a Deployment's replicas are ready at a time, where the others stand by on purpose."""


def selector(name: str) -> dict[str, str]:
    """The labels that tie a Service or Deployment to its pods."""
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
    """The spec of a Deployment. ``labels`` tell apart Deployments that one Service leads to."""
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


def container(name: str, image: str, **fields: object) -> Body:
    """A container."""
    return {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        **fields,
    }


def resources(requests: Mapping[str, str], limits: Mapping[str, str], replaced: ir.Resources | None) -> Body:
    """A container's resources: the usual ones, with those that an environment replaces.

    Where it says a request or a limit only, the usual other one follows it as far as an API server demands: no request
    over its limit, and of devices both the same.
    """
    if replaced is None:
        return {"limits": dict(limits), "requests": dict(requests)}
    own_requests, own_limits = dict(replaced.requests), dict(replaced.limits)
    for name, limit in replaced.limits.items():
        if name not in own_requests and (is_device(name) or _over(requests.get(name), limit)):
            own_requests[name] = limit
    for name, request in replaced.requests.items():
        if name not in own_limits and (is_device(name) or _over(request, limits.get(name))):
            own_limits[name] = request
    return {"limits": {**limits, **own_limits}, "requests": {**requests, **own_requests}}


def _over(request: str | None, limit: str | None) -> bool:
    """Whether both are said and the request is more."""
    return request is not None and limit is not None and (amount(request) or 0) > (amount(limit) or 0)


def spread(labels: Mapping[str, str]) -> list[Body]:
    """Replicas go to different nodes where there are any."""
    return [
        {
            "labelSelector": {"matchLabels": dict(labels)},
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
        }
    ]


def http_probe(path: str, port: str, period: int, failures: int) -> Body:
    """An HTTP probe, period in seconds."""
    return {
        "httpGet": {"path": path, "port": port, "scheme": "HTTP"},
        "failureThreshold": failures,
        "periodSeconds": period,
        "successThreshold": 1,
        "timeoutSeconds": 5,
    }


def grpc_probe(service: str, port: int, period: int, failures: int) -> Body:
    """A probe by the gRPC health protocol, period in seconds."""
    return {
        "grpc": {"port": port, "service": service},
        "failureThreshold": failures,
        "periodSeconds": period,
        "successThreshold": 1,
        "timeoutSeconds": 5,
    }


def field_env(name: str, path: str) -> Body:
    """An environment variable from a field of the pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}


def container_port(name: str, port: int) -> Body:
    """A port that a container listens on."""
    return {"name": name, "containerPort": port, "protocol": "TCP"}


def service_spec(pods: Mapping[str, str], ports: list[Body]) -> Body:
    """The spec of a ClusterIP Service in front of the pods with these labels."""
    return {
        "internalTrafficPolicy": "Cluster",
        "ipFamilyPolicy": "SingleStack",
        "ports": ports,
        "selector": dict(pods),
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }


def service_port(name: str, port: int, target: str | int, app_protocol: str) -> Body:
    """A port of a Service. The name and the protocol tell a mesh what is spoken there."""
    return {"appProtocol": app_protocol, "name": name, "port": port, "protocol": "TCP", "targetPort": target}


def access_mode(holders: int) -> str:
    """How a volume is held: by one pod, or by several on different nodes."""
    return "ReadWriteOnce" if holders == 1 else "ReadWriteMany"
