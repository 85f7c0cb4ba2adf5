"""Values for the chart `vllm-stack`: the model servers, started as other targets start them, and their router."""

from __future__ import annotations

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.servers import VLLM
from vsr_compiler.targets.common import vllm
from vsr_compiler.targets.common.helm import Values
from vsr_compiler.targets.common.model_servers import served
from vsr_compiler.targets.common.workloads import access_mode
from vsr_compiler.targets.production_stack.members import CHART, RELEASE, ROUTER_PORT, members, stack_service
from vsr_compiler.targets.production_stack.releases import PRODUCTION_STACK


def chart(policy: ir.Policy) -> Values | None:
    """Values for the stack's chart; None where nothing runs in it."""
    found = members(policy)
    if not found:
        return None
    release = PRODUCTION_STACK[policy.versions["production-stack"]]
    repository, _, tag = release.router.rpartition(":")
    names = {"environment": policy.name, "release": RELEASE}
    body: Body = {
        "servingEngineSpec": {
            "enableEngine": True,
            # Its router takes every pod with these labels for a server, whoever started it.
            "labels": {**names, "component": "engine"},
            "runtimeClassName": "",
            "imagePullPolicy": "IfNotPresent",
            "containerPort": vllm.PORT,
            "servicePort": ROUTER_PORT,
            "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
            "containerSecurityContext": {"runAsNonRoot": False, **vllm.CONTAINER},
            # A node's last GPU cannot be held twice.
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 0, "maxUnavailable": 1}},
            # The first start downloads the weights.
            "startupProbe": {
                "initialDelaySeconds": 15,
                "periodSeconds": 10,
                "failureThreshold": 360,
                "httpGet": {"path": "/health", "port": vllm.PORT},
            },
            "modelSpec": [_model(policy, endpoint, endpoint.server) for endpoint in found if endpoint.server],
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
    return Values(CHART, body, found[0].span, (stack_service(found),))


def _model(policy: ir.Policy, endpoint: ir.Endpoint, server: ir.VllmServer) -> Body:
    """A server of the stack, started as the other targets start it."""
    repository, _, tag = (server.image or VLLM[policy.versions["vllm"]].image).rpartition(":")
    volume = f"{RELEASE}-storage"
    adapters = vllm.adapter_folders(server)
    return {
        "name": endpoint.object_name,
        "repository": repository,
        "tag": tag,
        "modelURL": server.checkpoint,
        "replicaCount": server.replicas,
        "resources": vllm.server_resources(server),
        "pvcStorage": server.storage,
        "pvcAccessMode": [access_mode(server.volume_holders)],
        "hf_token": {"secretName": server.token_secret, "secretKey": "token"},
        "vllmConfig": {
            # Off unless it is asked for: the chart would switch off what vLLM does by itself.
            "enablePrefixCaching": True,
            "extraArgs": [
                "--served-model-name",
                *served(policy, endpoint).names,
                *vllm.parallel(server),
                *vllm.adapters(server),
                *server.args,
            ],
        },
        "extraVolumes": [vllm.shared_memory(server.gpus)],
        "extraVolumeMounts": [
            *({"name": volume, "mountPath": f"/{top}", "subPath": top} for top in adapters),
            {"name": "shm", "mountPath": vllm.SHARED_MEMORY},
        ],
    }
