"""Values for the chart `vllm-stack`: the model servers, started as other targets start them, and their router."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.manifests.expansion import escape_references
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.hardware import hardware
from vsr_compiler.targets.common import vllm
from vsr_compiler.targets.common.helm import ChartSource, Values
from vsr_compiler.targets.common.model_servers import served
from vsr_compiler.targets.common.placement import mounts, volumes
from vsr_compiler.targets.common.workloads import access_mode
from vsr_compiler.targets.production_stack import placement
from vsr_compiler.targets.production_stack.members import (
    CHART,
    RELEASE,
    ROUTER_PORT,
    engine_labels,
    members,
    stack_service,
)
from vsr_compiler.targets.production_stack.releases import PRODUCTION_STACK

SOURCE = ChartSource(CHART, "https://vllm-project.github.io/production-stack", RELEASE, "production-stack")
"""Source: the production stack's `README.md`, `helm repo add vllm`."""


def chart(policy: ir.Policy) -> Values | None:
    """Return the values of the chart; None if no endpoint runs in the stack."""
    endpoints = members(policy)
    if not endpoints:
        return None
    release = PRODUCTION_STACK[policy.versions["production-stack"]]
    repository, _, tag = release.router.rpartition(":")
    names = {"environment": policy.name, "release": RELEASE}
    body: Body = {
        "servingEngineSpec": {
            "enableEngine": True,
            # The stack's router treats every pod with these labels as a server.
            "labels": engine_labels(policy),
            "runtimeClassName": "",
            "imagePullPolicy": "IfNotPresent",
            "containerPort": vllm.PORT,
            "servicePort": ROUTER_PORT,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containerSecurityContext": {"runAsNonRoot": False, **vllm.CONTAINER},
            **_key(endpoints),
            # A node's last GPU cannot be held twice.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            # The first start downloads the weights.
            "startupProbe": {
                "initialDelaySeconds": 15,
                "periodSeconds": 10,
                "failureThreshold": 360,
                "httpGet": {"path": "/health", "port": vllm.PORT},
            },
            "modelSpec": [_model(policy, endpoint, endpoint.server) for endpoint in endpoints if endpoint.server],
        },
        "routerSpec": {
            "enableRouter": True,
            "repository": repository,
            "tag": tag,
            "imagePullPolicy": "IfNotPresent",
            "replicaCount": 2,
            "labels": {**names, "component": "router"},
            "serviceType": "ClusterIP",
            "servicePort": ROUTER_PORT,
            "serviceDiscovery": "k8s",
            "routingLogic": "roundrobin",
            "resources": {"requests": {"cpu": "1", "memory": "2G"}, "limits": {"memory": "2G"}},
        },
    }
    pods = (endpoints[0].service.namespace, tuple(sorted(engine_labels(policy).items())))
    return Values(CHART, body, endpoints[0].span, (stack_service(endpoints),), pods=(pods,))


def _key(endpoints: list[ir.Endpoint]) -> Body:
    """Return the key of the servers, which the stack's router needs to find their models."""
    key = endpoints[0].api_key
    return {} if key is None else {"vllmApiKey": {"secretName": key.secret, "secretKey": key.key}}


def _model(policy: ir.Policy, endpoint: ir.Endpoint, server: ir.VllmServer) -> Body:
    """Return the values of one server, with the same arguments as for other targets."""
    repository, _, tag = vllm.image(policy, server).rpartition(":")
    volume = f"{RELEASE}-storage" if server.claim is None else placement.WEIGHTS
    placed = server.placement
    weights: Body = {"pvcStorage": server.storage, "pvcAccessMode": [access_mode(server.most_pods)]}
    claimed = []
    if server.claim is not None:
        weights = {}
        claimed = [{"name": volume, "persistentVolumeClaim": {"claimName": server.claim}}]
    adapters = vllm.adapter_folders(server)
    return {
        "name": endpoint.object_name,
        "repository": repository,
        "tag": tag,
        "modelURL": escape_references(server.checkpoint),
        "replicaCount": server.replicas,
        "resources": vllm.server_resources(server),
        **weights,
        "hf_token": {"secretName": server.token_secret, "secretKey": "token"},
        "vllmConfig": {
            # Unless set, the chart would disable what vLLM enables by default.
            "enablePrefixCaching": True,
            "extraArgs": [
                escape_references(arg)
                for arg in (
                    "--served-model-name",
                    *served(policy, endpoint).names,
                    *vllm.parallel(server),
                    *vllm.adapters(server),
                    *hardware(server.device).args,
                    *server.args,
                )
            ],
        },
        "extraVolumes": [*claimed, vllm.shared_memory(server.gpus), *volumes(placed)],
        "extraVolumeMounts": [
            *([{"name": volume, "mountPath": vllm.WEIGHTS_PATH}] if claimed else []),
            *({"name": volume, "mountPath": f"/{top}", "subPath": top} for top in adapters),
            {"name": "shm", "mountPath": vllm.SHARED_MEMORY},
            *mounts(placed),
        ],
    } | placement.values(policy, endpoint, server)
