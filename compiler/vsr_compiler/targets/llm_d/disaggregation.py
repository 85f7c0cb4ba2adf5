"""Disaggregated serving: prefill and decode in two Deployments, with a routing sidecar in front of decode.

The picker chooses a decode pod, and a prefill pod if the prompt is not cached. The sidecar of the decode pod sends the
prompt to the prefill pod first, and lets the decode server fetch the result.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from vsr_compiler import ir
from vsr_compiler.manifests.objects import Body, Object, make
from vsr_compiler.releases.pickers import PICKERS, Disaggregation
from vsr_compiler.targets.common import disruption
from vsr_compiler.targets.common.model_servers import deployment, rollout, served, service_and_volume
from vsr_compiler.targets.common.placement import place
from vsr_compiler.targets.common.pools import settings
from vsr_compiler.targets.common.simulator import simulator_container
from vsr_compiler.targets.common.vllm import BEHIND_SIDECAR, HTTP, PORT, tolerations, vllm_container, volumes
from vsr_compiler.targets.common.workloads import (
    HARDENED,
    UNPRIVILEGED,
    container,
    deployment_spec,
    field_env,
    selector,
    spread,
)

ROLE = "llm-d.ai/role"
SIDE_CHANNEL = 5600
"""The port on which the two servers negotiate the transfer of a KV cache."""
TRANSFER = f"--kv-transfer-config={json.dumps({'kv_connector': 'NixlConnector', 'kv_role': 'kv_both'})}"


def emit(policy: ir.Policy) -> Iterator[Object]:
    """Yield the model servers: those of a disaggregated pool in two roles, others as for every target."""
    for endpoint in policy.endpoints:
        server = endpoint.server
        if server is None:
            continue
        disaggregation = PICKERS["llm-d-router"][policy.versions["llm-d-router"]].disaggregation
        if settings(endpoint).disaggregation and disaggregation is not None:
            prefill = server.replicas // 2
            yield _role(endpoint, server, "prefill", prefill, _pod(policy, endpoint, server, None))
            pod = _pod(policy, endpoint, server, disaggregation)
            yield _role(endpoint, server, "decode", server.replicas - prefill, pod)
        else:
            yield deployment(policy, endpoint, server)
        yield from service_and_volume(endpoint, server)
        yield from disruption.of_servers(endpoint, server)


def _role(endpoint: ir.Endpoint, server: ir.VllmServer, role: str, replicas: int, pod: Body) -> Object:
    """Return the Deployment of one role. The pool and the Service select the pods of both."""
    name = endpoint.service.name
    return make(
        "apps/v1",
        "Deployment",
        f"{name}-{role}",
        endpoint.span,
        namespace=endpoint.service.namespace,
        labels=selector(name),
        spec=deployment_spec(name, replicas, pod, labels={ROLE: role}, strategy=rollout(server, replicas)),
    )


def _pod(policy: ir.Policy, endpoint: ir.Endpoint, server: ir.VllmServer, sidecar: Disaggregation | None) -> Body:
    """Return the pod of a role; with a sidecar it is the decode role."""
    port = BEHIND_SIDECAR if sidecar else HTTP
    models = served(policy, endpoint)
    name = endpoint.service.name
    if server.simulate:
        process = simulator_container(policy, endpoint, models.names, models.context, port)
    else:
        env = (
            field_env("VLLM_NIXL_SIDE_CHANNEL_HOST", "status.podIP"),
            {"name": "VLLM_NIXL_SIDE_CHANNEL_PORT", "value": str(SIDE_CHANNEL)},
        )
        process = vllm_container(policy, endpoint, server, models.names, port, args=(TRANSFER,), env=env)
    pod: Body = {
        "automountServiceAccountToken": False,
        "containers": [process],
        "securityContext": UNPRIVILEGED if server.simulate else {"seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 120,
        "topologySpreadConstraints": spread(selector(name)),
    }
    if sidecar is not None:
        pod["initContainers"] = [_sidecar(sidecar)]
    if not server.simulate:
        pod["volumes"] = volumes(server.claim or name, server.gpus)
    return place(pod, server.placement, selector(name), () if server.simulate else tolerations(server))


def _sidecar(release: Disaggregation) -> Body:
    """Return the sidecar: an init container that keeps running (Kubernetes 1.29 or newer)."""
    return container(
        "routing-sidecar",
        release.sidecar_image,
        args=[f"--port={PORT}", f"--model-server-port={BEHIND_SIDECAR['containerPort']}", *release.sidecar_args],
        ports=[HTTP],
        resources={"limits": {"memory": "512Mi"}, "requests": {"cpu": "100m", "memory": "128Mi"}},
        restartPolicy="Always",
        securityContext=HARDENED | {"runAsGroup": 65_532, "runAsNonRoot": True, "runAsUser": 65_532},
    )
