"""The pod of a vLLM server: checkpoint, model names, adapters, GPUs and volumes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import PurePosixPath

from vsr_compiler import ir
from vsr_compiler.diagnostics import Diagnostic
from vsr_compiler.ir.placement import Toleration
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.hardware import hardware
from vsr_compiler.releases.model_servers import VLLM
from vsr_compiler.targets.common.placement import place
from vsr_compiler.targets.common.workloads import container, container_port, http_probe, resources, selector, spread

PORT = 8000
HTTP = container_port("http", PORT)
BEHIND_SIDECAR = container_port("model", 8200)
"""The port of a server that has a routing sidecar in front of it; the sidecar listens on `PORT`."""
WEIGHTS_PATH = "/data"
SHARED_MEMORY = "/dev/shm"  # noqa: S108 - where tensor-parallel workers share memory
CONTAINER: Body = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
"""The security context of the container."""
IMAGE_FOLDERS = frozenset(
    {"bin", "boot", "dev", "etc", "lib", "lib64", "opt", "proc", "root", "run", "sbin", "sys", "tmp", "usr", "var"}
)
"""Folders of the image, which a volume must not hide."""
CPU_ONLY = {"cpu": "4", "memory": "16Gi"}, {"memory": "32Gi"}
"""Requests and limits of a server without devices."""
PARALLEL = frozenset(
    {
        "--tensor-parallel-size",
        "-tp",
        "--pipeline-parallel-size",
        "-pp",
        "--data-parallel-size",
        "-dp",
        "--data-parallel-size-local",
        "-dpl",
    }
)
"""Arguments that set how a server uses the GPUs of its pod."""


def vllm_pod(policy: ir.Policy, endpoint: ir.Endpoint, server: ir.VllmServer, served: tuple[str, ...]) -> Body:
    """Return the pod spec. The image runs as root, so the Pod Security level is baseline."""
    name = endpoint.service.name
    pod: Body = {
        "automountServiceAccountToken": False,
        "containers": [vllm_container(policy, endpoint, server, served)],
        "securityContext": {"seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 120,
        "topologySpreadConstraints": spread(selector(name)),
        "volumes": volumes(server.claim or name, server.gpus),
    }
    return place(pod, server.placement, selector(name), tolerations(server))


def tolerations(server: ir.VllmServer) -> list[Toleration]:
    """Return the toleration of the taint that clusters put on nodes with the server's hardware, if it names any."""
    taint = hardware(server.device).taint
    return [Toleration(taint, "Exists", effect="NoSchedule")] if server.device is not None and taint else []


def vllm_container(
    policy: ir.Policy,
    endpoint: ir.Endpoint,
    server: ir.VllmServer,
    served: tuple[str, ...],
    port: Body = HTTP,
    *,
    args: tuple[str, ...] = (),
    env: tuple[Body, ...] = (),
) -> Body:
    """Return the server's container, listening on ``port``, with additional arguments and variables."""
    release = VLLM[policy.versions["vllm"]]
    return container(
        "vllm",
        image(policy, server),
        args=[
            # The first argument: arguments with several values would take it.
            server.checkpoint if release.positional else f"--model={server.checkpoint}",
            "--served-model-name",
            *served,
            f"--port={port['containerPort']}",
            *parallel(server),
            *adapters(server),
            *hardware(server.device).args,
            *args,
            *server.args,
        ],
        env=[
            {"name": "HF_HOME", "value": WEIGHTS_PATH},
            {"name": "HF_TOKEN", "valueFrom": {"secretKeyRef": {"name": server.token_secret, "key": "token"}}},
            *api_key(endpoint),
            *hardware_env(server),
            *env,
        ],
        ports=[port],
        # The first start downloads the weights: up to an hour, as long as the rollout's deadline.
        startupProbe=http_probe("/health", port["name"], 10, 360),
        readinessProbe=http_probe("/health", port["name"], 5, 3),
        livenessProbe=http_probe("/health", port["name"], 10, 3),
        resources=server_resources(server),
        securityContext=CONTAINER,
        volumeMounts=[
            {"name": "weights", "mountPath": WEIGHTS_PATH},
            *({"name": "weights", "mountPath": f"/{top}", "subPath": top} for top in adapter_folders(server)),
            {"name": "shm", "mountPath": SHARED_MEMORY},
        ],
    )


def image(policy: ir.Policy, server: ir.VllmServer) -> str:
    """Return the server's image: the policy's, or that of the release for its hardware."""
    return server.image or VLLM[policy.versions["vllm"]].images[hardware(server.device).image]


def api_key(endpoint: ir.Endpoint) -> list[Body]:
    """Return the variable with the key that vLLM requires of requests below `/v1`; not of probes and metrics."""
    key = endpoint.api_key
    if key is None:
        return []
    return [{"name": "VLLM_API_KEY", "valueFrom": {"secretKeyRef": {"name": key.secret, "key": key.key}}}]


def hardware_env(server: ir.VllmServer) -> list[Body]:
    """Return the variables that the server's hardware needs."""
    return [{"name": name, "value": value} for name, value in hardware(server.device).env.items()]


def volumes(claim: str, gpus: int) -> list[Body]:
    """Return the pod's volumes: weights, and shared memory for one worker per GPU."""
    return [
        {"name": "weights", "persistentVolumeClaim": {"claimName": claim}},
        shared_memory(gpus),
    ]


def shared_memory(gpus: int) -> Body:
    """Return the volume for shared memory of the workers."""
    return {"name": "shm", "emptyDir": {"medium": "Memory", "sizeLimit": f"{2 * gpus}Gi"}}


def server_resources(server: ir.VllmServer) -> Body:
    """Return requests and limits of a server, by its number of GPUs."""
    resource = hardware(server.device).resource
    if not resource:
        return resources(*CPU_ONLY, server.resources)
    gpus = {resource: str(server.gpus)}
    return resources(
        {"cpu": str(2 * server.gpus), "memory": f"{16 * server.gpus}Gi"} | gpus,
        {"memory": f"{32 * server.gpus}Gi"} | gpus,
        server.resources,
    )


def parallel(server: ir.VllmServer) -> list[str]:
    """Return the argument that makes a server use every GPU of its pod. Without it vLLM uses one.

    Return none if the policy's own arguments set the parallelism.
    """
    gpus = str(server_resources(server)["limits"].get(hardware(server.device).resource, "0"))
    own = PARALLEL & {arg.split("=")[0].split(" ")[0].replace("_", "-") for arg in server.args}
    return [] if own or gpus in {"0", "1"} else [f"--tensor-parallel-size={gpus}"]


def check(policy: ir.Policy) -> Iterator[Diagnostic]:
    """VSR312 if the path of an adapter would hide a folder of the image, VSR322 if hardware has no image."""
    for endpoint in policy.endpoints:
        server, release = endpoint.server, policy.versions["vllm"]
        known = VLLM[release].images
        if server is not None and not server.image and hardware(server.device).image not in known:
            message = f"no image of vllm {release} is known for the hardware `{server.device}` of `{endpoint.name}`"
            yield Diagnostic("VSR322", message, endpoint.span, "Set `image`, or use another release.")
        for name, path in endpoint.server.loras if endpoint.server else ():
            if _top(path) in IMAGE_FOLDERS or ".." in PurePosixPath(path).parts:
                span = next(model.span for model in policy.models if model.name == name)
                message = f"the adapter `{name}` cannot be at `{path}`, which is inside a folder of the server's image"
                hint = "Use a separate folder such as `/adapters/…`, which is kept on the endpoint's volume."
                yield Diagnostic("VSR312", message, span, hint)


def adapters(server: ir.VllmServer) -> list[str]:
    """Return the arguments that load the server's adapters."""
    if not server.loras:
        return []
    return ["--enable-lora", "--lora-modules", *(_adapter(name, path) for name, path in server.loras)]


def _adapter(name: str, path: str) -> str:
    """Return ``name=path``, or JSON if vLLM would split the pair in the wrong place."""
    if any(mark in name + path for mark in "=,{"):
        return json.dumps({"name": name, "path": path})
    return f"{name}={path}"


def adapter_folders(server: ir.VllmServer) -> list[str]:
    """Return the top-level folders of adapters on the volume of the weights. Relative paths are repositories."""
    tops = {_top(path) for _, path in server.loras}
    return sorted(top for top in tops if top and f"/{top}" != WEIGHTS_PATH)


def _top(path: str) -> str:
    parts = PurePosixPath(path).parts
    return parts[1] if len(parts) > 1 and parts[0] == "/" else ""
