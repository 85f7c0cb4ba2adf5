"""States of a cluster that the documentation of `vsr-compile status` shows, each with one fault."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from support.common import ROOT
from support.fake_cluster import FakeCluster, kubeconfig, running
from support.live_policies import applied, condition


def _nothing(_: FakeCluster) -> None:
    """Everything is live."""


def _missing_object(cluster: FakeCluster) -> None:
    del cluster.objects[cluster.path_of(cluster.find("HTTPRoute", "phi4-mini"))]


def _missing_definition(cluster: FakeCluster) -> None:
    cluster.without.add("gateway.networking.k8s.io/v1")
    cluster.knows("gateway.networking.k8s.io/v1beta1", "Gateway")


def _drift(cluster: FakeCluster) -> None:
    body = cluster.find("Service", "phi4-mini")
    body["spec"]["ports"][0]["port"] = 9000
    port = {'k:{"name":"http"}': {".": {}, "f:port": {}}}
    body["metadata"]["managedFields"].append(
        {
            "manager": "kubectl-edit",
            "operation": "Update",
            "time": "2026-12-02T09:00:00Z",
            "fieldsV1": {"f:spec": {"f:ports": port}},
        }
    )


def _refused_route(cluster: FakeCluster) -> None:
    words = "No listener allows routes of this namespace"
    cluster.find("HTTPRoute", "phi4-mini")["status"]["parents"][0]["conditions"] = [
        condition("Accepted", "False", "NotAllowedByListeners", words)
    ]


def _refused_patch(cluster: FakeCluster) -> None:
    applied(cluster, ROOT / "out" / "envoy-gateway", "prod")
    patch = cluster.find("EnvoyPatchPolicy", "inference-gateway-semantic-router")
    words = "unable to find xds resource default/inference-gateway/http"
    patch["status"]["ancestors"][0]["conditions"] = [
        condition("Accepted"),
        condition("Programmed", "False", "ResourceNotFound", words),
    ]


def _unattached(cluster: FakeCluster) -> None:
    applied(cluster, ROOT / "out" / "agentgateway", "prod")
    policy = cluster.find("AgentgatewayPolicy", "inference-gateway-semantic-router")
    policy["status"]["ancestors"][0]["conditions"] = [
        condition("Accepted", reason="Valid"),
        condition(
            "Attached", "False", "Pending", "Policy is not attached: Gateway default/inference-gateway not found"
        ),
    ]


def _old_generation(cluster: FakeCluster) -> None:
    cluster.find("Gateway", "inference-gateway")["status"]["conditions"] = [
        condition("Accepted", generation=2),
        condition("Programmed", generation=2),
    ]


def _not_ready(cluster: FakeCluster) -> None:
    cluster.find("Deployment", "llama-8b")["status"]["availableReplicas"] = 0


def _stale_router(cluster: FakeCluster) -> None:
    last = next(pod for pod in reversed(cluster.pods) if pod["metadata"]["name"].startswith("semantic-router"))
    (config,) = [item["configMap"]["name"] for item in last["spec"]["volumes"] if item["name"] == "config"]
    old = json.loads(json.dumps(last).replace(config, "semantic-router-config-0f3a1b2c4d"))
    cluster.pods[cluster.pods.index(last)] = old


def _no_patch(cluster: FakeCluster) -> None:
    for path in cluster.objects:
        cluster.denied.add(("patch", path.split("/")[-2]))


SCENARIOS: dict[str, Callable[[FakeCluster], None]] = {
    "live": _nothing,
    "missing object": _missing_object,
    "missing definition": _missing_definition,
    "drift": _drift,
    "refused route": _refused_route,
    "refused patch": _refused_patch,
    "unattached policy": _unattached,
    "old generation": _old_generation,
    "not ready": _not_ready,
    "stale router": _stale_router,
    "no permission to patch": _no_patch,
}
"""By the name in the documentation."""
OWN = {"refused patch", "unattached policy"}
"""Those about the output of another policy than the quickstart."""


@contextmanager
def scenario(name: str) -> Iterator[str]:
    """Start a cluster in a state, and return its kubeconfig."""
    with running() as cluster:
        if name not in OWN:
            applied(cluster, ROOT / "out" / "quickstart", "dev")
        SCENARIOS[name](cluster)
        yield kubeconfig(("staging", cluster.url))
