"""The vLLM servers that the policy deploys: a Deployment, a Service and a volume each."""

from __future__ import annotations

from collections.abc import Iterator

from compiler.features.objects import Body, Object, make
from compiler.features.pods import (
    container,
    container_port,
    deployment_spec,
    http_probe,
    selector,
    service_port,
    service_spec,
)
from compiler.link import ir
from compiler.releases import PROFILES, VLLM_IMAGES

VLLM_PORT = 8000
WEIGHTS_PATH = "/data"


def emit(policy: ir.Policy) -> Iterator[Object]:
    """The objects of every endpoint whose pods are ours."""
    for endpoint in policy.endpoints:
        if endpoint.server is not None:
            served = [model.name for model in policy.models if any(used is endpoint for used, _ in model.endpoints)]
            yield from _server(endpoint, endpoint.server, served)


def _server(endpoint: ir.Endpoint, server: ir.VllmServer, served: list[str]) -> Iterator[Object]:
    name, namespace, origin = endpoint.service.name, endpoint.service.namespace, endpoint.span
    yield make(
        "apps/v1",
        "Deployment",
        name,
        origin,
        namespace=namespace,
        labels=selector(name),
        spec=deployment_spec(
            name,
            server.replicas,
            _pod(name, server, served),
            # A node's last GPU and a ReadWriteOnce volume cannot be held twice, so the old pod goes first.
            strategy={"type": "Recreate"},
        ),
    )
    yield make(
        "v1",
        "PersistentVolumeClaim",
        name,
        origin,
        namespace=namespace,
        spec={
            "accessModes": ["ReadWriteOnce" if server.replicas == 1 else "ReadWriteMany"],
            "resources": {"requests": {"storage": server.storage}},
            "volumeMode": "Filesystem",
        },
    )
    yield make(
        "v1",
        "Service",
        name,
        origin,
        namespace=namespace,
        spec=service_spec(name, [service_port("http", endpoint.service.port, "http", "http")]),
    )


def _pod(name: str, server: ir.VllmServer, served: list[str]) -> Body:
    release = PROFILES["current"]["vllm"]
    process = container(
        "vllm",
        VLLM_IMAGES[release],
        args=[f"--model={server.checkpoint}", "--served-model-name", *served, f"--port={VLLM_PORT}", *server.args],
        env=[
            {"name": "HF_HOME", "value": WEIGHTS_PATH},
            {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": server.token_secret, "key": "token"}}},
        ],
        ports=[container_port("http", VLLM_PORT)],
        # The first start downloads the weights: an hour, as long as the rollout's own deadline.
        startupProbe=http_probe("/health", "http", 10, 360),
        readinessProbe=http_probe("/health", "http", 5, 3),
        livenessProbe=http_probe("/health", "http", 10, 3),
        resources={
            "requests": {"cpu": "2", "memory": "16Gi", "nvidia.com/gpu": str(server.gpus)},
            "limits": {"memory": "32Gi", "nvidia.com/gpu": str(server.gpus)},
        },
        securityContext={"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        volumeMounts=[{"name": "weights", "mountPath": WEIGHTS_PATH}, {"name": "shm", "mountPath": "/dev/shm"}],  # noqa: S108 - where tensor-parallel workers share memory
    )
    return {
        "automountServiceAccountToken": False,
        "containers": [process],
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 120,
        "volumes": [
            {"name": "weights", "persistentVolumeClaim": {"claimName": name}},
            {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": "2Gi"}},
        ],
    }
