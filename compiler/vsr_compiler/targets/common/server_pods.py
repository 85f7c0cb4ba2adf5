"""Pods of model servers that the component `monitoring` reads metrics from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from vsr_compiler import ir
from vsr_compiler.diagnostics import Span
from vsr_compiler.manifests.objects import Body
from vsr_compiler.targets.common.pools import is_pool, labels, settings
from vsr_compiler.targets.common.vllm import BEHIND_SIDECAR

_NO_SIDECARS: Body = {
    "action": "drop",
    "regex": "true",
    "sourceLabels": ["__meta_kubernetes_pod_container_init"],
}
"""Drops ports of init containers, such as sidecars, which Prometheus finds as well (prometheus/prometheus#5598)."""


@dataclass(frozen=True, slots=True)
class ServerPods:
    """Pods that one PodMonitor selects.

    Attributes:
        name: The name of the PodMonitor.
        namespace: Its namespace and that of the pods.
        labels: The labels of the pods.
        ports: Its endpoints.
        origin: Where the policy describes the servers.
        ours: Whether they run the vLLM of the policy's release, and not something that others chose.
    """

    name: str
    namespace: str
    labels: dict[str, str]
    ports: list[Body]
    origin: Span
    ours: bool

    @property
    def job(self) -> str:
        """The label `job` of their series, as the Prometheus operator sets it."""
        return f"{self.namespace}/{self.name}"


Servers = Callable[[ir.Policy], list[ServerPods]]
"""Returns the pods of model servers that a target knows."""


def server_pods(policy: ir.Policy) -> list[ServerPods]:
    """Return the pods of each endpoint that names or writes them. Those of an existing Service are unknown."""
    return [
        ServerPods(
            endpoint.service.name,
            endpoint.service.namespace,
            labels(endpoint),
            _ports(endpoint),
            endpoint.span,
            endpoint.server is not None,
        )
        for endpoint in policy.endpoints
        if is_pool(endpoint)
    ]


def _ports(endpoint: ir.Endpoint) -> list[Body]:
    if endpoint.pods is not None:
        return [{"path": "/metrics", "portNumber": endpoint.pods.port}]
    http: Body = {"path": "/metrics", "port": "http"}
    if not settings(endpoint).disaggregation:
        return [http]
    # On decode pods this is the sidecar's port, which passes on the metrics of the server behind it.
    return [http | {"relabelings": [_NO_SIDECARS]}, {"path": "/metrics", "port": BEHIND_SIDECAR["name"]}]
