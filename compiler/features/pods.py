"""Parts of pods that several features share, with every default that the API server would fill in written out."""

from __future__ import annotations

from compiler.features.objects import Body

HARDENED: Body = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
}
"""A container of the restricted Pod Security level that writes to its volumes only."""


def selector(name: str) -> dict[str, str]:
    """The labels that tie a Service or Deployment to its pods."""
    return {"app.kubernetes.io/name": name}


def deployment_spec(
    name: str, replicas: int, pod: Body, *, annotations: dict[str, str] | None = None, strategy: Body | None = None
) -> Body:
    """The spec of a Deployment."""
    metadata: Body = {"labels": selector(name)}
    if annotations:
        metadata["annotations"] = annotations
    return {
        "progressDeadlineSeconds": 3600,
        "replicas": replicas,
        "revisionHistoryLimit": 10,
        "selector": {"matchLabels": selector(name)},
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


def http_probe(path: str, port: str, period: int, failures: int) -> Body:
    """An HTTP probe, period in seconds."""
    return {
        "httpGet": {"path": path, "port": port, "scheme": "HTTP"},
        "failureThreshold": failures,
        "periodSeconds": period,
        "successThreshold": 1,
        "timeoutSeconds": 5,
    }


def container_port(name: str, port: int) -> Body:
    """A port that a container listens on."""
    return {"name": name, "containerPort": port, "protocol": "TCP"}


def service_spec(name: str, ports: list[Body]) -> Body:
    """The spec of a ClusterIP Service."""
    return {
        "internalTrafficPolicy": "Cluster",
        "ipFamilyPolicy": "SingleStack",
        "ports": ports,
        "selector": selector(name),
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }


def service_port(name: str, port: int, target: str, app_protocol: str) -> Body:
    """A port of a Service. The name and the protocol tell a mesh what is spoken there."""
    return {"appProtocol": app_protocol, "name": name, "port": port, "protocol": "TCP", "targetPort": target}
