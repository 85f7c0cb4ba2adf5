"""llm-d's simulator instead of a vLLM server: same names, port and metrics, without GPU or weights."""

from __future__ import annotations

import json

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body
from vsr_compiler.releases.model_servers import SIMULATOR
from vsr_compiler.targets.common.placement import place
from vsr_compiler.targets.common.vllm import HTTP
from vsr_compiler.targets.common.workloads import (
    HARDENED,
    UNPRIVILEGED,
    container,
    http_probe,
    resources,
    selector,
    spread,
)

CONTEXT = 32_768
"""Context in tokens if no model of the endpoint sets one. The simulator's default is 1,024."""


def simulator_pod(policy: ir.Policy, endpoint: ir.Endpoint, served: tuple[str, ...], context: int | None) -> Body:
    """Return the pod spec, of the restricted Pod Security level."""
    pod: Body = {
        "automountServiceAccountToken": False,
        "containers": [simulator_container(policy, endpoint, served, context)],
        "securityContext": UNPRIVILEGED,
        "terminationGracePeriodSeconds": 30,
        "topologySpreadConstraints": spread(selector(endpoint.service.name)),
    }
    return place(pod, server.placement, selector(endpoint.service.name)) if (server := endpoint.server) else pod


def simulator_container(
    policy: ir.Policy, endpoint: ir.Endpoint, served: tuple[str, ...], context: int | None, port: Body = HTTP
) -> Body:
    """Return the container. The image and resources of an environment are for vLLM and do not apply here."""
    loras = endpoint.server.loras if endpoint.server else ()
    adapters = [json.dumps({"name": name, "path": path}) for name, path in loras]
    return container(
        "vllm",
        SIMULATOR[policy.versions["llm-d-inference-sim"]],
        args=[
            # With the name of a real model it would call a tokenizer service.
            f"--model=simulated-{endpoint.object_name}",
            "--served-model-name",
            *served,
            f"--port={port['containerPort']}",
            f"--max-model-len={context or CONTEXT}",
            "--mode=random",
            *(["--lora-modules", *adapters] if adapters else []),
        ],
        ports=[port],
        startupProbe=http_probe("/health", port["name"], 2, 30),
        readinessProbe=http_probe("/health", port["name"], 5, 3),
        livenessProbe=http_probe("/health", port["name"], 10, 3),
        resources=resources({"cpu": "100m", "memory": "128Mi"}, {"memory": "512Mi"}, None),
        securityContext=HARDENED,
    )
